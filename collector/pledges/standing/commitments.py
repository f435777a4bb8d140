"""What a pledge record holds of a duty: who said so, when, by which file, until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.model import Text
from collector.pledges.due.deadlines import last_self_check
from collector.pledges.due.expiries import holds
from collector.pledges.record.documents import DocumentClause, Duty, fields

_DAYS = (
    "date", "found_on", "filed_on", "appointed_on", "undertaken_on", "reviewed", "last", "from",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """`since` and `until` are days (ISO), empty where the record has none."""

    text: Text
    since: str = ""
    until: str = ""
    expired: bool = False


def held(document: Mapping[str, Any], duty: Duty, today: str) -> Held | None:
    """What the duty's own field holds on that day (ISO); None where it is not there."""
    name = duty.field.split(".")[0].removesuffix("[]")
    if name == "attestations":
        return None
    known = fields()[name]
    filings = document.get("filings", {})
    if name == "filings" and "no_websites" in filings:
        none = filings["no_websites"]
        return _one(none, Text("不提供网站服务", "serves no web sites"), today)
    if duty.field == "self_check" and name in document:
        last, cycle = last_self_check(document), document[name]["cycle_days"]
        text = Text(
            f"自查：上次 {last or '无'}，周期 {cycle} 天",
            f"self-check: last {last or 'never'}, every {cycle} days",
        )
        return Held(text, last or "")
    if name == "resources" and name in document:
        return _resources(document[name])
    if name == "sub_users":
        return _sub_users(document.get(name), known, today)
    value = _value(document, duty.field)
    if not value:
        return None
    if isinstance(value, Mapping):
        return _one(value, known, today)
    if isinstance(value, str):
        return Held(Text(f"{known.zh}：{value}", f"{known.en}: {value}"), value)
    return _several(value, known, today)


def attested(document: Mapping[str, Any], clause: str, today: str) -> Held | None:
    """The statement about the clause that holds longest, though it may have expired."""
    said = [a for a in document.get("attestations", ()) if a["clause"] == clause]
    if not said:
        return None
    longest = max(said, key=lambda a: (str(a.get("expires", "9999-12-31")), a["date"]))
    return _one(longest, Text("书面声明", "attestation"), today)


def signed(document: Mapping[str, Any], clause: DocumentClause) -> Held | None:
    """By the signature under the document, or by an acknowledgement of the clause itself."""
    signatures = [
        (d["signed_on"], d.get("representative", ""))
        for d in document["documents"]
        if d["type"] == clause.document
    ]
    itself = [
        (a["date"], a["by"])
        for a in document.get("acknowledgements", ())
        if clause.id in a["clauses"]
    ]
    found = min([*signatures, *itself], default=None)
    if found is None:
        return None
    day, who = found
    by = f" {who}" if who else ""
    return Held(Text(f"已签署确认：{day}{by}", f"acknowledged: {day}{by}"), day)


def _value(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for word in path.split("."):
        if not isinstance(value, Mapping):
            # a field of each of a list: what stands there of any of them
            value = [entry[word] for entry in value or () if word in entry]
        else:
            value = value.get(word.removesuffix("[]"))
    return value


def _one(entry: Mapping[str, Any], name: Text, today: str) -> Held:
    who = next((str(entry[k]) for k in ("by", "name", "owner", "number") if k in entry), "")
    day = next((str(entry[k]) for k in _DAYS if k in entry), "")
    until = str(entry.get("expires") or entry.get("until") or "")
    digest = str(entry.get("sha256", ""))[:12]
    zh = [p for p in (who, day, f"至 {until}" if until else "", digest and f"摘要 {digest}") if p]
    en = [p for p in (who, day, f"to {until}" if until else "", digest and f"sha256 {digest}") if p]
    expired = not holds(entry, today)
    return Held(
        Text(
            f"{name.zh}{'已到期' if expired else ''}{'：' if zh else ''}{'，'.join(zh)}",
            f"{name.en}{' has expired' if expired else ''}{': ' if en else ''}{', '.join(en)}",
        ),
        day,
        until,
        expired,
    )


def _several(entries: Sequence[Any], name: Text, today: str) -> Held:
    if not isinstance(entries[0], Mapping):
        return Held(Text(f"{name.zh}：{len(entries)} 项", f"{name.en}: {len(entries)}"))
    good = [entry for entry in entries if holds(entry, today)]
    if not good:
        return _one(max(entries, key=lambda e: str(e["expires"])), name, today)
    if len(entries) == 1:
        return _one(good[0], name, today)
    newest = _latest(good)
    until = min((str(e["expires"]) for e in good if "expires" in e), default="")
    count = len(good)
    return Held(
        Text(
            f"{name.zh}：{count} 项{f'，最近 {newest}' if newest else ''}",
            f"{name.en}: {count}{f', the last {newest}' if newest else ''}",
        ),
        newest,
        until,
    )


def _latest(entries: Iterable[Mapping[str, Any]]) -> str:
    return max((str(e[k]) for e in entries for k in _DAYS if k in e), default="")


def _resources(entry: Mapping[str, Any]) -> Held | None:
    kinds = (
        ("addresses", "地址", "addresses"),
        ("domains", "域名", "domains"),
        ("ports", "端口", "ports"),
        ("hosts", "主机", "hosts"),
    )
    counts = [(zh, en, len(entry[field])) for field, zh, en in kinds if entry.get(field)]
    until = entry.get("period", {}).get("until", "")
    if not counts:
        return None
    zh = "、".join(f"{word} {n} 项" for word, _, n in counts)
    en = ", ".join(f"{n} {word}" for _, word, n in counts)
    if until:
        zh, en = f"{zh}，至 {until}", f"{en}, to {until}"
    return Held(Text(f"已登记{zh}", f"declared: {en}"), until=until)


def _sub_users(entry: Mapping[str, Any] | None, name: Text, today: str) -> Held | None:
    """End users need a way in which they are held to these duties, where there are any."""
    if entry is None:
        return None
    if not entry["present"]:
        return Held(Text("无最终用户", "no end users"))
    method = entry.get("method")
    return _one(method, name, today) if method else None
