"""Links and uploads, by the programs that customers have."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.handin import links, quarantine
from tests.handin.served import Served, output, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("handin") / "hand-in") as found:
        yield found


def test_curl_puts_a_capture_and_gets_a_receipt(served: Served, tmp_path: Path) -> None:
    link, address = served.link()
    data = output()
    (tmp_path / "web-1.capture").write_bytes(data)
    told = served.curl("-T", str(tmp_path / "web-1.capture"), address)
    assert told.status == 201
    sha256 = hashlib.sha256(data).hexdigest()
    assert f"SHA-256: {sha256}" in told.text
    assert link.id in told.text
    kept = served.folder / "quarantine" / link.digest
    assert kept.read_bytes() == data
    assert [line for line in served.log() if line["id"] == link.id][-1]["sha256"] == sha256
    assert served.files("incoming") == []


def test_everything_is_for_the_owner_alone(served: Served) -> None:
    _, address = served.link()
    served.put(address, output())
    for path in served.folder.rglob("*"):
        if path.name != "stderr":
            wanted = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_same_bytes_have_one_receipt_and_others_are_refused(served: Served) -> None:
    _, address = served.link()
    data = output()
    first, again = served.put(address, data), served.put(address + "/", data)
    assert (first.status, again.status) == (201, 200)
    assert first.text == again.text
    # curl adds the name of the file where the address ends in a slash
    assert served.put(address + "/other.capture", data).text == first.text
    other = served.put(address, output("b"))
    assert other.status == 409
    assert "链接已用过" in other.text and "the link has been used" in other.text
    assert served.curl(address).text == first.text
    assert served.log()[-1]["why"] == "hand_in_link_used"


def test_of_the_token_only_a_digest_is_kept(served: Served) -> None:
    _, address = served.link()
    token = address.rpartition("/")[2]
    served.put(address, output())
    served.curl(address + "x")
    for path in served.folder.rglob("*"):
        assert token not in path.name
        assert path.is_dir() or token.encode() not in path.read_bytes()
    with pytest.raises(BadInput):
        links.by_id(served.places, token)


def test_unknown_ended_and_revoked_are_answered_the_same(served: Served) -> None:
    link, revoked = served.link()
    links.revoke(served.places, link.id)
    links.revoke(served.places, link.id)
    _, ended = served.link(lasts=timedelta(seconds=-1))
    used, gone = served.link()
    assert served.put(gone, output()).status == 201
    links.revoke(served.places, used.id)
    answers = {
        served.put(address, output())
        for address in (revoked, ended, gone, served.address("A" * 43), served.address("x"))
    }
    assert len(answers) == 1
    (one,) = answers
    assert one.status == 404
    assert {served.curl(revoked), served.curl(served.address("B" * 43))} == answers
    states = {links.state(served.places, link) for link in links.every(served.places)}
    assert states >= {"revoked", "ended", "used"}


def test_a_browser_sends_a_form_and_sees_a_page(served: Served, tmp_path: Path) -> None:
    _, address = served.link("数据库.example")
    shown = served.curl("-H", "Accept: text/html", "-i", address)
    assert "<script" not in shown.text
    assert "content-security-policy: default-src 'none'" in shown.text
    assert "referrer-policy: no-referrer" in shown.text
    assert "数据库.example" in shown.text
    (tmp_path / "x").write_bytes(output())
    bad = served.curl("-F", "other=1", address)
    assert bad.status == 422
    told = served.curl("-H", "Accept: text/html", "-F", f"capture=@{tmp_path}/x", address)
    assert told.status == 201
    assert "<h1>已收到" in told.text
    assert served.curl("-F", f"capture=@{tmp_path}/x", address).status == 200


def test_programs_get_json(served: Served) -> None:
    link, address = served.link()
    data = output()
    told = served.curl("-H", "Accept: application/json", "-T", "-", address, data=data)
    receipt = json.loads(told.text)["receipt"]
    assert (receipt["id"], receipt["size"]) == (link.id, len(data))


def test_a_link_says_what_became_of_what_came_by_it(served: Served) -> None:
    for verdict, title, word in (
        ("accepted", "Taken in", "已收用 taken in"),
        ("refused", "Refused", "已拒收 refused"),
    ):
        link, address = served.link()
        data = output()
        assert "待收用 waiting" in served.curl("-T", "-", address, data=data).text
        assert ">Received</span>" in served.curl("-H", "Accept: text/html", address).text
        receipt = quarantine.receipt(served.places, link.digest)
        assert receipt is not None
        quarantine.decide(served.places, receipt, verdict, why="secret")  # type: ignore[arg-type]
        shown = served.curl("-H", "Accept: text/html", address).text
        assert f">{title}</span>" in shown
        assert "has still to take" not in shown
        assert "secret" not in shown
        # and the same bytes once more are told the same
        assert word in served.curl("-T", "-", address, data=data).text
        told = served.curl("-H", "Accept: application/json", address).text
        assert json.loads(told)["receipt"]["state"] == verdict


def test_the_script_comes_from_the_link_and_its_output_goes_back(
    served: Served, tmp_path: Path
) -> None:
    """What the page says to type, typed; the whole script, on this machine."""
    _, address = served.link()
    page = served.curl("-H", "Accept: text/html", address).text
    block = page.split("<pre>")[1].split("</pre>")[0]
    typed = block.replace("&#39;", "'").replace("&gt;", ">").replace("sudo ", "")
    # who asks by curl is told the same, and can give it to a shell as it is
    plain = served.curl(address).text.replace("sudo ", "")
    assert [line for line in plain.splitlines() if not line.startswith("#")] == typed.splitlines()
    done = subprocess.run(
        ["sh", "-c", typed], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "收据 receipt" in done.stdout, done.stderr
    assert stat.S_IMODE((tmp_path / "web-1.capture").stat().st_mode) == 0o600


def test_a_host_with_busybox_alone_hands_in(served: Served, tmp_path: Path) -> None:
    """A root of nothing but busybox: no Python, no curl; its wget posts."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("there is no busybox")
    _, address = served.link()
    (tmp_path / "x").write_bytes(output())
    done = subprocess.run(
        [busybox, "wget", "-qO-", f"--post-file={tmp_path}/x", address],
        capture_output=True, text=True, check=False, env={},
    )  # fmt: skip
    assert "收据 receipt" in done.stdout, done.stderr


def test_two_at_once_by_one_link(served: Served) -> None:
    link, address = served.link()
    one, other = output("a"), output("b")
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(lambda data: served.put(address, data), (one, other)))
    assert sorted(t.status for t in told) == [201, 409]
    kept = (served.folder / "quarantine" / link.digest).read_bytes()
    assert kept == (one if told[0].status == 201 else other)
    _, address = served.link()
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(lambda data: served.put(address, data), (one, one)))
    assert sorted(t.status for t in told) == [200, 201]
    assert told[0].text == told[1].text


@pytest.mark.parametrize(
    "clock", ["9999999999", "-99999999999999999999", "9" * 5000, "１７９６", ""]
)
def test_a_capture_of_no_time_does_not_use_up_the_link(served: Served, clock: str) -> None:
    """Nobody could take it in, and the customer would hear nothing of it."""
    link, address = served.link()
    data = re.sub(rb"(?m)^clock=.*$", f"clock={clock}".encode(), output(), count=1)
    told = served.put(address, data)
    assert told.status == 422
    assert "set the clock of the host" in told.text
    assert links.state(served.places, link) == "open"
    assert served.put(address, output()).status == 201


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "empty"), (b"PK\x03\x04 a bundle", "no capture"), (None, "cut off")]
)
def test_what_is_no_capture_leaves_the_link_as_it_was(
    served: Served, data: bytes | None, said: str
) -> None:
    link, address = served.link()
    told = served.put(address, output()[:-200] if data is None else data)
    assert told.status == 422
    assert said in told.text
    assert links.state(served.places, link) == "open"
    assert served.files("incoming") == []
    assert not (served.folder / "quarantine" / link.digest).exists()
    assert served.put(address, output()).status == 201
