"""`make readers`: what each reader says of what we export, as the rows of docs/exports.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.fleet.machine import CannotRun
from tests.readers import documents, looks

_LANGS = {f".{lang}" for lang in documents.LANGS}
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


# a word of a document, and what makes it wrong: each reader has to see it. Those that are not
# here are run by our own tests, which hold that they refuse, or show whatever they get
SPOILED: dict[str, tuple[str, str, str]] = {
    "sarif-multitool validate": ("sarif", '"level": "error"', '"level": "worse"'),
    "Jenkins' JUnit schema (xmllint)": ("junit", "<failure ", "<failure worse='1' "),
    "OpenSCAP": ("xccdf", ">fail</result>", ">partial</result>"),
    "LibreOffice Calc": ("csv", "'=1+2", "=1+2"),
    "promtool check metrics, check rules, test rules": ("prometheus", "findings{", "findings {{"),
    "promtool tsdb create-blocks-from openmetrics": ("openmetrics", "# EOF", ""),
    "inspecjs": ("hdf", '"status": "error"', '"status": "passed"'),
    "@mitre/hdf-converters": ("hdf", '"status": "failed"', '"status": "passed"'),
    "py-ocsf-models": ("ocsf", '"type_uid": 200301', '"type_uid": 200399000'),
    "the schema of OCSF": ("ocsf", '"finding_info"', '"finding"'),
    "DefectDojo's Generic Findings Import": ("defectdojo", '"mitigation"', '"mend"'),
}


def sees(reader: str, look: Callable[[Path], str], folder: Path) -> bool:
    """Does the reader refuse, or understand otherwise, a document that is wrong in one word?"""
    if reader not in SPOILED:
        return True
    form, word, wrong = SPOILED[reader]
    kept = {file: file.read_bytes() for file in folder.glob(f"{form}.*") if file.suffix in _LANGS}
    for file, data in kept.items():
        spoiled = data.decode().replace(word, wrong)
        if spoiled == data.decode():
            raise ValueError(f"{file.name} has no {word}")
        file.write_text(spoiled, encoding="utf-8", newline="")
    try:
        look(folder)
    except (AssertionError, ValueError):
        return True
    finally:
        for file, data in kept.items():
            file.write_bytes(data)
    return False


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
                if not sees(reader, look, folder):
                    failed += 1
                    result = "BLIND: takes what is wrong as well"
            except CannotRun as problem:
                version, result = "-", f"not run: {str(problem).splitlines()[-1][:200]}"
            except (AssertionError, ValueError) as problem:
                failed += 1
                version, result = "-", "REFUSES"
                print(f"{reader}: {problem}", file=sys.stderr)
            print(f"| {form} | {reader} | {version} | {result} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
