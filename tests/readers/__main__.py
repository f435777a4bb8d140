"""`make readers`: what each reader says of what we export, as the rows of docs/exports.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.fleet.machine import CannotRun
from tests.readers import documents, looks

READERS: dict[str, tuple[str, Callable[[Path], str]]] = {
    "compliance-trestle": ("oscal, oscal-*", looks.trestle),
    "sarif-multitool validate": ("sarif", looks.sarif_multitool),
    "sarif-web-component in Chromium": ("sarif", looks.sarif_viewer),
    "sarif-pydantic": ("sarif", looks.sarif_pydantic),
    "junitparser": ("junit", looks.junitparser),
    "Jenkins' JUnit schema (xmllint)": ("junit", looks.junit_schema),
    "OpenSCAP": ("xccdf", looks.openscap),
    "LibreOffice Calc": ("csv", looks.libreoffice),
    "promtool check metrics, check rules, test rules": ("prometheus", looks.promtool),
    "promtool tsdb create-blocks-from openmetrics": ("openmetrics", looks.openmetrics),
    "inspecjs": ("hdf", looks.inspecjs),
    "@mitre/hdf-converters": ("hdf", looks.hdf_converters),
    "py-ocsf-models": ("ocsf", looks.py_ocsf),
    "the schema of OCSF": ("ocsf", looks.ocsf_schema),
    "DefectDojo's Generic Findings Import": ("defectdojo", looks.defectdojo),
    "in-toto-attestation": ("svr", looks.in_toto),
}


def main() -> int:
    """0 where every reader that is there reads all, 1 where one does not."""
    parser = argparse.ArgumentParser(prog="make readers", description=__doc__)
    parser.add_argument("names", nargs="*", help="readers whose name holds this word")
    asked = parser.parse_args()
    failed = 0
    print("| form | reader | version | result |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        documents.write(folder)
        for reader, (form, look) in READERS.items():
            if asked.names and not any(word.lower() in reader.lower() for word in asked.names):
                continue
            try:
                version, result = look(folder), "reads it"
            except CannotRun as problem:
                version, result = "-", f"not run: {str(problem).splitlines()[-1][:200]}"
            except AssertionError as problem:
                failed += 1
                version, result = "-", "REFUSES"
                print(f"{reader}: {problem}", file=sys.stderr)
            print(f"| {form} | {reader} | {version} | {result} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
