"""A page for each schema: its id, its fields, a document that fits it, what may change of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.site.languages import Lang, cell, colon, either
from tools.site.plan import ROOT
from tools.site.samples import shortened

FOLDER = ROOT / "schemas"
_DEEPEST = 3


def pages(lang: Lang, samples: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each page's place, and its text."""
    every = {
        file.name.split(".")[0]: json.loads(file.read_bytes())
        for file in sorted(FOLDER.glob("*.schema.json"))
    }
    yield "schemas/index.md", "\n".join(_index(every, lang)) + "\n"
    for name, schema in every.items():
        yield f"schemas/{name}.md", "\n".join(_page(name, schema, samples.get(name), lang)) + "\n"


def files() -> Iterator[tuple[str, Path]]:
    """The schemas themselves, beside their pages."""
    for file in sorted(FOLDER.glob("*.schema.json")):
        yield f"schemas/{file.name}", file


def _index(every: dict[str, Any], lang: Lang) -> Iterator[str]:
    yield f"# {either(lang, '数据格式', 'Schemas')}"
    yield ""
    yield either(
        lang,
        "凡是进出 hostpledge 的文件都有 JSON Schema（2020-12）。编号 `urn:hostpledge:schema:名"
        "称:版本` 写在文件的 `schema` 字段中。"
        "**兼容承诺**：字段被删除或改变含义时版本号加一；同一版本内只会增加可选字段；新版本读取"
        "所有旧版本写出的证据包与登记记录，"
        "测试中保留着每一种旧格式的证据包。严格拒绝未知字段，因此旧程序读不了新字段时会说明，而"
        "不会忽略。",
        "All that goes in and out of hostpledge has a JSON Schema (2020-12). The id "
        "`urn:hostpledge:schema:NAME:VERSION` stands in the "
        "document's `schema`. **What is promised**: the version goes up when a field goes or "
        "changes its meaning; within a version only "
        "optional fields are added; bundles and records that an earlier version wrote are read "
        "by every later one, and tests keep "
        "bundles of each earlier form. Fields that are not known are refused, so that an older "
        "program says so rather than leave them out.",
    )
    head = either(lang, "| 名称 | 内容 | 编号 |", "| name | what it holds | id |")
    yield from ("", head, "|---|---|---|")
    for name, schema in every.items():
        yield f"| [`{name}`]({name}.md) | {cell(schema['title'])} | `{schema['$id']}` |"


def _page(name: str, schema: dict[str, Any], sample: Any, lang: Lang) -> Iterator[str]:
    yield f"# {name}"
    yield from ("", f"**{cell(schema['title'])}**", "")
    if "description" in schema:
        yield from (cell(schema["description"]), "")
    number = schema["$id"].rsplit(":", 1)[1]
    yield f"- {either(lang, '编号', 'Id')}{colon(lang)}`{schema['$id']}`"
    yield f"- {either(lang, '版本', 'Version')}{colon(lang)}{number}"
    yield f"- {either(lang, '文件', 'File')}{colon(lang)}[{name}.schema.json]({name}.schema.json)"
    rows = list(_rows(schema, schema, "", 0))
    if rows:
        yield from ("", f"## {either(lang, '字段', 'Fields')}", "")
        yield either(lang, "| 字段 | 必填 | 类型 | 说明 |", "| field | wanted | type | |")
        yield "|---|---|---|---|"
        yield from rows
    for part, definition in schema.get("$defs", {}).items():
        inner = list(_rows(definition, schema, "", _DEEPEST))
        yield from ("", f"### `{part}` {{#{part}}}", "")
        if not inner:
            yield _bounds(definition)
        else:
            yield either(lang, "| 字段 | 必填 | 类型 | 说明 |", "| field | wanted | type | |")
            yield "|---|---|---|---|"
            yield from inner
    if sample is not None:
        yield from ("", f"## {either(lang, '示例', 'Example')}", "")
        yield either(
            lang,
            "为便于阅读，列表只留前两项，长文本只留开头。",
            "To be read: lists are cut to their first two, long texts to their beginning.",
        )
        text = json.dumps(shortened(sample), ensure_ascii=False, indent=2)
        yield from ("", "```json", *text.splitlines(), "```")


def _rows(part: dict[str, Any], whole: dict[str, Any], above: str, depth: int) -> Iterator[str]:
    wanted = set(part.get("required", ()))
    for field, about in part.get("properties", {}).items():
        if not isinstance(about, dict):
            continue
        mark = "✓" if field in wanted else ""
        told = cell(about.get("description", ""))
        yield f"| `{above}{field}` | {mark} | {_type(about)} | {told} |"
        if depth < _DEEPEST:
            inner = about.get("items", about) if about.get("type") == "array" else about
            if isinstance(inner, dict) and "properties" in inner:
                ending = "[]." if about.get("type") == "array" else "."
                yield from _rows(inner, whole, f"{above}{field}{ending}", depth + 1)


def _bounds(about: dict[str, Any]) -> str:
    """A value that has no fields: what it may be."""
    told = [_type(about), cell(about.get("description", ""))]
    if "pattern" in about:
        told.append(f"`{about['pattern']}`")
    told += [
        f"{word} {about[word]}" for word in ("minLength", "maxLength", "format") if word in about
    ]
    return ", ".join(filter(None, told))


def _type(about: dict[str, Any]) -> str:
    if "$ref" in about:
        target = about["$ref"]
        name = target.rsplit("/", 1)[-1]
        if target.startswith("#/$defs/"):
            return f"[{name}](#{name})"
        return cell(name)
    if "const" in about:
        return f"`{cell(json.dumps(about['const'], ensure_ascii=False))}`"
    if "enum" in about:
        return " ".join(f"`{cell(str(one))}`" for one in about["enum"])
    for word in ("oneOf", "anyOf"):
        if word in about:
            return " / ".join(_type(one) for one in about[word])
    kind = about.get("type", "")
    if kind == "array":
        return (
            f"[{_type(about.get('items', {}))}]" if isinstance(about.get("items"), dict) else "list"
        )
    return "/".join(kind) if isinstance(kind, list) else str(kind)
