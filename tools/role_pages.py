"""A README for each role, made of its argument spec: `python -m tools.role_pages` writes them.

A spec names each default as a reader wants it, a number where the role's own default is a lookup of
a control's parameter; `defaults` says what it has to be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from collector import catalog
from collector.model import Control

ROOT = Path(__file__).parents[1]
COLLECTION = "hostpledge.pledge"
_PARAMETER = re.compile(
    r"\{\{ lookup\('hostpledge\.pledge\.parameter', '([a-z_.]+)', '([a-z0-9_]+)'\) \}\}"
)
_MARKUP = re.compile(r"\b[CVOIBM]\(([^)]*)\)")
_MADE = "<!-- made by `python -m tools.role_pages` of meta/argument_specs.yml -->"
_NEEDS = (
    "`hostpledge.pledge` needs the Python package hostpledge where Ansible runs: see "
    "`docs/ansible.md`. 控制节点须装有 Python 包 hostpledge，见 `docs/ansible.zh.md`。"
)
# what fits into a cell of a table
_LONGEST = 60


class _Computed:
    """A default that Ansible computes on each host, so that no one value can be named."""


COMPUTED = _Computed()


def roles() -> list[str]:
    """The names of all roles."""
    return sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def spec(role: str) -> Mapping[str, Any]:
    """The argument spec of the role's entry `main`."""
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)["argument_specs"]["main"]
    return found


def defaults(role: str) -> dict[str, Any]:
    """Each default of the role by name: its value, at grade 2, or COMPUTED."""
    text = (ROOT / "roles" / role / "defaults" / "main.yml").read_text(encoding="utf-8")
    return {name: _value(value) for name, value in (yaml.safe_load(text) or {}).items()}


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        parts = {key: _value(part) for key, part in value.items()}
        return COMPUTED if COMPUTED in parts.values() else parts
    if not isinstance(value, str) or "{{" not in value:
        return value
    if not (found := _PARAMETER.fullmatch(value.strip())):
        return COMPUTED
    number = catalog.control(found[1]).parameters[found[2]][2]
    return list(number) if isinstance(number, (list, tuple)) else number


def tags(role: str) -> list[str]:
    """The tags by which the role is chosen, in whole or in part."""
    controls = spec(role)["options"].get(f"{role}_controls")
    more = [f"{role}.policy"] if f"{role}_policy" in spec(role)["options"] else []
    return [role, *(f"{role}.{name}" for name in controls["choices"]), *more] if controls else []


def readme(role: str) -> str:
    """The text of the role's README."""
    told = spec(role)
    parts = [
        f"{_MADE}\n# {COLLECTION}.{role}",
        _plain(f"{told['short_description']}."),
        "\n".join(f"- {_plain(line)}" for line in told["description"]),
        _play(role),
    ]
    if named := tags(role):
        parts.append(_controls(role, named))
    if told["options"]:
        parts.append(_variables(told["options"]))
    parts.append(_NEEDS)
    return "\n\n".join(parts) + "\n"


def _play(role: str) -> str:
    become = "" if role == "collect" else "  become: true\n"
    lines = (
        f"- hosts: all\n{become}  gather_facts: false\n  roles:\n    - role: {COLLECTION}.{role}"
    )
    return f"```yaml\n{lines}\n```"


def _controls(role: str, named: list[str]) -> str:
    rows = ["| tag | what it brings about |", "|---|---|", f"| `{role}` | all of them |"]
    for tag in named[1:]:
        control: Control | None = catalog.controls().get(tag)
        what = f"{control.title.en} / {control.title.zh}" if control else "what no control looks at"
        rows.append(f"| `{tag}` | {what} |")
    return "## Tags\n\n" + "\n".join(rows)


def _variables(options: Mapping[str, Any]) -> str:
    rows = ["| variable | type | default | what |", "|---|---|---|---|"]
    for name, option in options.items():
        kind = option["type"]
        kind += f" of {option['elements']}" if "elements" in option else ""
        what = _cell(_plain(_joined(option["description"])))
        if option.get("choices") and not name.endswith("_controls"):
            what += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        rows.append(f"| `{name}` | {kind} | {_default(option)} | {what} |")
    return "## Variables\n\n" + "\n".join(rows)


def _default(option: Mapping[str, Any]) -> str:
    if "default" not in option:
        return ""
    if option["default"] == option.get("choices"):
        return "all of them"
    text = yaml.safe_dump(
        option["default"], default_flow_style=True, width=10_000, allow_unicode=True
    )
    text = text.removesuffix("\n").removesuffix("\n...")
    if len(text) > _LONGEST:
        return "see `meta/argument_specs.yml`"
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else " ".join(text)


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub(r"`\1`", text).split())


def main() -> int:
    """Writes them all."""
    for role in roles():
        (ROOT / "roles" / role / "README.md").write_text(readme(role), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
