"""OCSF events held to the schema of OCSF 1.5.0 as its repository has it.

py-ocsf-models drops what it does not know; this finds names that no class or object has, required
ones that are missing, and numbers that are in no enumeration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# their server makes these enumerations of all classes, categories and observables there are
_COMPUTED = {"category_uid", "class_uid", "type_uid", "type_id"}


class Schema:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, Any] = self._read("dictionary.json")["attributes"]
        self._objects = {
            found["name"]: found
            for found in map(self._json, sorted((folder / "objects").glob("*.json")))
            if "name" in found
        }
        self._events = {
            found["name"]: found
            for place in ("events", "events/findings")
            for found in map(self._json, sorted((folder / place).glob("*.json")))
        }

    def complaints(self, event: Mapping[str, Any]) -> list[str]:
        category = self._read("categories.json")["attributes"]["findings"]["uid"]
        number = category * 1000 + self._events["compliance_finding"]["uid"]
        if (event["category_uid"], event["class_uid"]) != (category, number):
            return [f"a compliance finding is of class {number}"]
        return list(self._check(event, self._attributes(self._events, "compliance_finding"), ""))

    def _json(self, file: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _read(self, name: str) -> dict[str, Any]:
        return self._json(self._folder / name)

    def _attributes(self, known: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Of a class or an object, with those of what it extends and includes."""
        one = known[name]
        parent = str(one.get("extends", ""))
        found: dict[str, Any] = self._attributes(known, parent) if parent in known else {}
        own = one.get("attributes", {})
        included = own.get("$include", [])
        for file in [included] if isinstance(included, str) else included:
            found |= {
                attribute: said
                for attribute, said in self._read(file).get("attributes", {}).items()
                # what a profile requires, it requires of who takes the profile on
                if attribute != "$include" and not file.startswith("profiles/")
            } | {
                attribute: {**said, "requirement": "optional"}
                for attribute, said in self._read(file).get("attributes", {}).items()
                if attribute != "$include" and file.startswith("profiles/")
            }
        for attribute, said in own.items():
            if attribute != "$include":
                found[attribute] = {**found.get(attribute, {}), **said}
        return found

    def _check(
        self, value: Mapping[str, Any], known: Mapping[str, Any], where: str
    ) -> Iterator[str]:
        for name, said in known.items():
            if said.get("requirement") == "required" and name not in value:
                yield f"{where}{name} is required"
        for name, held in value.items():
            place = f"{where}{name}"
            if name not in known:
                yield f"{place} is not known"
                continue
            said = {**self._names.get(name, {}), **known[name]}
            if "@deprecated" in said:
                yield f"{place} is deprecated"
            numbers = {**self._names.get(name, {}).get("enum", {}), **known[name].get("enum", {})}
            known_number = name in _COMPUTED or str(held) in numbers
            if numbers and isinstance(held, int) and not known_number:
                yield f"{place}: {held} is no number of it"
            kind = str(said.get("object_type") or said.get("type"))
            for one in held if isinstance(held, list) else [held]:
                if isinstance(one, dict) and kind in self._objects and kind != "object":
                    yield from self._check(one, self._attributes(self._objects, kind), f"{place}.")
