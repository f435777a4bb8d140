"""Passwords in addresses, whatever signs are in them and whatever their scheme; what pushes."""

from __future__ import annotations

import re

import pytest

from tests.masked import AWKS, redacted

_PASSWORDS = (
    "quokka", "quokka=Zulu", "quokka,Zulu", "quokka;Zulu", "zebra/quokka=", "quokka&Zulu=",
    "=quokka", "/quokka", "1quokka=Zulu",
)  # fmt: skip
_PIECES = ("quokka", "Zulu", "zebra")
_SCHEMES = (
    "b2", "s3", "swift", "gs", "azure", "nfs", "rclone", "boto3+s3", "jdbc:mysql",
    "jdbc:postgresql", "mysql", "mongodb", "ftp", "sftp", "https", "redis",
)  # fmt: skip
_FORMS = """
duplicity /a "@"
duplicity /a '@'
X="@"
X='@'
tool -x "@"
tool --to="@"
curl -T /a "@"
jdbc="@"
db_url="@"
"""
# what has no quotes around: there `;` and `&` end a command
_BARE = """
duplicity /a @
X=@
tool --to=@
cat <<X1
url=@
url @
X1
"""
_WORDS = """
dexp SYSDBA/'"{}"'@h
AUTH {}
user u {}
pass: {}
cat >/x <<X2
AUTH {}
auth: {}
user u {}
pass: {}
password {}
X2
redis-cli <<X3
AUTH {}
AUTH u {}
X3
ftp -n h <<X4
user u {}
pass {}
X4
"""


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("password", _PASSWORDS)
def test_no_password_of_an_address_leaves(awk: list[str], password: str) -> None:
    forms = _FORMS.strip().split("\n")
    if not set(password) & set(";&"):
        forms += _BARE.strip().split("\n")
    lines = []
    for scheme in _SCHEMES:
        for host in ("bucket/x", "$HOST/x", "${HOST}:1/x"):
            lines += [f.replace("@", f"{scheme}://id:{password}@{host}") for f in forms]
    text = "\n".join(lines) + "\n"
    said = redacted("#words script", text.encode(), awk=awk).decode()
    found = zip(text.splitlines(), said.splitlines(), strict=True)
    assert [(a, b) for a, b in found if any(p in b for p in _PIECES)] == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("mode", ["tab", "settings"])
def test_nor_of_one_in_a_setting(awk: list[str], mode: str) -> None:
    for password in _PASSWORDS:
        for scheme in _SCHEMES:
            text = f"X='{scheme}://id:{password}@h/x'\n"
            if mode == "settings":
                text = f"repositories:\n  - path: '{scheme}://id:{password}@h/x'\n"
                text += f'x: "{scheme}://id:{password}@h/x"\n'
            said = redacted(f"#words {mode}", text.encode(), awk=awk).decode()
            assert [p for p in _PIECES if p in said] == [], text


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("password", ["quokka=Zulu", "quokka=", "quokka=Zulu=", "quokka"])
def test_behind_a_word_that_speaks_of_a_secret_no_name_stands(
    awk: list[str], password: str
) -> None:
    text = _WORDS.replace("{}", password).lstrip()
    said = redacted("#words script", text.encode(), awk=awk).decode()
    found = zip(text.splitlines(), said.splitlines(), strict=True)
    assert [(a, b) for a, b in found if any(p in b for p in _PIECES)] == []


_PUSHES = """
curl https://ntfy.sh/quokka
curl -d done ntfy.sh/quokka
curl https://ntfy.example.com/quokka
curl https://h/api/push/quokka
curl https://kuma.example.com/api/push/quokka?status=up
curl https://h/push/quokka
curl https://cronitor.link/quokka
curl https://cronitor.link/p/quokka/zebra
curl https://h/hook/quokka
curl https://h/hooks/quokka
curl https://h/webhook/quokka
curl https://h/webhooks/x/quokka
curl https://h/services/hook/quokka
curl https://$H/api/push/quokka
curl https://${H}/api/push/quokka
curl $KUMA/api/push/quokka
curl ${KUMA}/hooks/quokka
wget -qO- https://cronitor.link/quokka
URL=https://ntfy.sh/quokka
"""
_PUSHED = """
uptime_kuma:
    push_url: https://h/api/push/quokka
uptimekuma: {push_url: "https://h/api/push/quokka"}
ntfy:
    server: https://ntfy.sh/quokka
cronitor:
    ping_url: https://cronitor.link/quokka
healthchecks:
    ping_url: https://hc.example.com/quokka
"""


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(("mode", "text"), [("script", _PUSHES), ("settings", _PUSHED)])
def test_whoever_knows_such_an_address_may_push(awk: list[str], mode: str, text: str) -> None:
    for word in ("quokka", "abc", "quokkazebra"):
        said = redacted(f"#words {mode}", text.replace("quokka", word).encode(), awk=awk).decode()
        found = zip(text.replace("quokka", word).splitlines(), said.splitlines(), strict=True)
        assert [(a, b) for a, b in found if re.search(rf"\b({word}|zebra)\b", b)] == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(
    "line",
    [
        "restic -r rest:http://nas:8000/repo backup /srv",
        "duplicity full /srv s3://bucket/backup",
        "restic -r s3:https://s3.example.com/bucket/a backup /srv",
        "borg create ssh://bak@nas/./repo::x /srv",
        "duplicity /srv s3://$HOST/backup",
        "duplicity /srv sftp://bak@$HOST//backup/srv",
    ],
)
def test_places_of_backups_stay(awk: list[str], line: str) -> None:
    assert redacted("#words script", f"{line}\n".encode(), awk=awk).decode() == f"{line}\n"
