"""DefectDojo's own parser of Generic Findings Import, run from its sources without Django.

What it wants of Django and of its models is stood in for by what only holds values; the parser and
its rules are theirs. `SOURCES` names the folder with a checkout (`django-DefectDojo`).
"""

from __future__ import annotations

import importlib.util
import io
import json
import sys
import types
from pathlib import Path
from typing import Any


class _Held:
    """Keeps what it is made of, as a model would before it is saved."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update({"cve": None, "cwe": 0, "unsaved_locations": [], **values})
        self.unsaved_endpoints: list[Any] = []
        self.unsaved_vulnerability_ids: list[str] = []

    @classmethod
    def from_uri(cls, uri: str) -> _Held:
        return cls(host=uri)


class _Located:
    @staticmethod
    def url(**values: Any) -> _Held:
        return _Held(**values)

    dependency = code = url


def _module(name: str, **held: Any) -> None:
    found = types.ModuleType(name)
    found.__dict__.update(held)
    sys.modules[name] = found


def findings(source: Path, text: str) -> list[Any]:
    """What the parser under `source` makes of a document; it raises where it refuses."""
    parser = import_parser(source)
    file = io.StringIO(text)
    file.name = "findings.json"
    (test,) = parser.GenericParser().get_tests("Generic Findings Import", file)
    found: list[Any] = test.findings
    assert len(found) == len(json.loads(text)["findings"])
    return found


def import_parser(source: Path) -> Any:
    # the parser takes it for imported
    importlib.import_module("dateutil.parser")
    _module("django")
    _module("django.conf", settings=types.SimpleNamespace(V3_FEATURE_LOCATIONS=False))
    _module("django.core")
    _module("django.core.files")
    _module("django.core.files.base", ContentFile=bytes)
    for package in ("dojo", "dojo.tools", "dojo.finding"):
        _module(package, __path__=[str(source / package.replace(".", "/"))])
    _module("dojo.models", Endpoint=_Held, FileUpload=_Held, Finding=_Held, Test=_Held)
    _module("dojo.tools.locations", LocationData=_Located)
    _module("dojo.finding.cwe", cwe_number=int)
    _module("dojo.tools.generic", __path__=[str(source / "dojo/tools/generic")])
    _module("dojo.tools.generic.csv_parser", GenericCSVParser=_Held)
    for name in ("dojo.tools.parser_test", "dojo.tools.generic.json_parser"):
        _load(name, source)
    return _load("dojo.tools.generic.parser", source)


def _load(name: str, source: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, source / f"{name.replace('.', '/')}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
