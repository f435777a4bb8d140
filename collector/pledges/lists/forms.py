"""What a cell cannot mean, in words, and what to write in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from collector.model import Text
from collector.pledges.record.people import visible

_QUOTED = 60
FORMS: Mapping[str, Text] = {
    "id": Text(
        "只能用字母、数字和 . - _，以字母或数字开头，至多 64 个字符",
        "write letters (A-Z), digits and . - _ only, a letter or digit first, at most 64",
    ),
    "phone": Text(
        "请写一个电话号码，如 13800000001、0571-88000000、0571-88000000转123",
        "write one telephone number: 13800000001, 0571-88000000",
    ),
    "code": Text(
        "统一社会信用代码是 18 位数字与大写字母（不含 I、O、S、V、Z）",
        "a credit code has 18 digits and capitals (without I, O, S, V, Z)",
    ),
    "identity": Text(
        "证件号码请写全（入库前掩码），或写成 110101********1234",
        "write the number whole (it is masked before it is stored) or as 110101********1234",
    ),
    "port": Text("请写成 443/tcp 或 30000-30100/udp", "write 443/tcp or 30000-30100/udp"),
    "host": Text(
        "请写主机清单中的主机名，其中没有空格、斜杠和逗号",
        "write the name of a host as the inventory has it, without blanks, slashes, commas",
    ),
    "control": Text(
        "请写核查项的名称或编号（见 hostpledge controls）",
        "write the name or number of a control (`hostpledge controls` lists them)",
    ),
    "clause": Text(
        "请写条款，如 责任书二(二)、承诺书八，或 responsibility.2.2",
        "write a clause: responsibility.2.2, or 责任书二(二)",
    ),
    "key": Text(
        "请写 OpenSSH 格式的公钥，如 ssh-ed25519 AAAA…",
        "write a public key as OpenSSH does: ssh-ed25519 AAAA…",
    ),
    "owner": Text(
        '姓名中不能有 " , \\ * ? ! 和开头的 #',
        'a name without " , \\ * ? ! and without # in front',
    ),
    "scan": Text("请写 64 位十六进制的 SHA-256", "write a SHA-256 of 64 hexadecimal digits"),
    "email": Text("请写电子邮箱，如 a@b.example", "write an address: a@b.example"),
}


class Wrong(ValueError):
    """What a cell cannot mean, and what to write instead."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class Unread(str):
    """The text of a cell that holds no value, and why: a formula that was never worked out."""

    __slots__ = ("reason",)
    reason: Text

    def __new__(cls, text: str, reason: Text) -> Self:
        made = super().__new__(cls, text)
        made.reason = reason
        return made


def seen(text: str) -> str:
    """A cell's text as a person sees it: what was copied may hold more."""
    return text if isinstance(text, Unread) else visible(text)


def quoted(text: str) -> tuple[str, str]:
    """A text as it is quoted to people, in Chinese and in English; not all of a long one."""
    shown = text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"
    return f"“{shown}”", repr(shown)
