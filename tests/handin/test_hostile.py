"""Whoever reaches the server: too much, too slow, twisted, guessed, and a server that dies."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from collector.errors import BadInput
from collector.handin import links
from collector.handin.guesses import Guesses
from collector.handin.http import Settings, _Desk
from collector.handin.multipart import OneFile
from tests.handin.served import Served, output, serving

_MOST = 1 << 20


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Takes 1 MiB, and waits a second at most for the next byte."""
    folder = tmp_path_factory.mktemp("handin") / "hand-in"
    with serving(folder, largest=_MOST, idle=1, whole=3, guesses=8) as found:
        yield found


def _untouched(served: Served, link: links.Link) -> None:
    assert links.state(served.places, link) == "open"
    assert served.files("incoming") == []
    assert not (served.folder / "quarantine" / link.digest).exists()


def _begun(served: Served, address: str, size: int) -> socket.socket:
    """A connection that says it will send so much."""
    sent = socket.create_connection(("127.0.0.1", served.port))
    path = address.partition(str(served.port))[2]
    sent.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
    return sent


def test_more_than_a_capture_is_refused_said_or_not(small: Served) -> None:
    link, address = small.link()
    said = small.curl("-T", "-", "-H", f"Content-Length: {_MOST * 2}", address, data=b"x")
    assert said.status == 413
    # curl sends what it reads from a pipe in chunks, and says no length
    unsaid = small.put(address, b"x" * (_MOST * 3))
    assert unsaid.status in (413, 0)
    assert any(line.get("why") == "hand_in_too_large" for line in small.log())
    _untouched(small, link)
    assert small.put(address, output()).status == 201


def test_a_drip_and_a_pause_come_to_an_end(small: Served) -> None:
    link, address = small.link()
    begun = time.monotonic()
    with _begun(small, address, 1000) as paused, _begun(small, address, 1000) as drips:
        drips.settimeout(0.25)
        answered = b""
        while not answered and time.monotonic() - begun < 10:
            drips.sendall(b"x")
            try:
                answered = drips.recv(100)
            except TimeoutError:
                continue
        assert answered.startswith(b"HTTP/1.1 408")
        assert 2 < time.monotonic() - begun < 8
        assert paused.recv(100).startswith(b"HTTP/1.1 408")
    _untouched(small, link)
    assert small.put(address, output()).status == 201


def test_no_link_takes_all_the_places(small: Served) -> None:
    _, greedy = small.link()
    _, other = small.link()
    with _begun(small, greedy, 9000), _begun(small, greedy, 9000):
        time.sleep(0.2)
        assert small.put(greedy, output()).status == 503
        assert small.put(other, output()).status == 201


def test_a_small_file_that_unpacks_to_much_is_refused(small: Served) -> None:
    link, address = small.link()
    bomb = gzip.compress(gzip.compress(b"\0" * (1 << 26)) * 12)
    assert small.put(address, bomb).status == 422
    assert small.put(address, gzip.compress(b"\0" * (300 << 20), 9)).status == 422
    _untouched(small, link)


@pytest.mark.parametrize("host", ["..", "-rf", "$(id)", "`id`", "a\nb", "<script>x", "数" * 80])
def test_no_name_becomes_a_path_a_word_or_a_tag(small: Served, host: str) -> None:
    link, address = small.link(host)
    told = small.curl(
        "--path-as-is", "-T", "-", f"{address}/../../../../tmp/hostpledge-x", data=output()
    )
    # what a server makes of the dots is no longer an address of the link
    assert told.status in (201, 404, 405)
    shown = small.curl(address, "-H", "Accept: text/html").text
    assert "<script" not in shown
    typed = [line for line in shown.splitlines() if line.startswith("(umask")]
    for line in typed:
        plain = line.replace("&#39;", "'").replace("&gt;", "/dev/null #")
        ran = subprocess.run(["sh", "-nc", plain], capture_output=True, check=False)
        assert ran.returncode == 0
        assert "$(" not in plain and "`" not in plain
    assert small.put(address, output()).status in (200, 201, 409)
    assert [path.name for path in small.files("quarantine") if path.name == link.digest]
    assert not Path("/tmp/hostpledge-x").exists()
    text = (small.folder / "log.jsonl").read_bytes()
    assert all(json.loads(line) for line in text.splitlines())


def test_uploads_that_break_off_do_not_fill_the_log(small: Served) -> None:
    """Who holds a link could push the lines of all others out of it."""
    before = sum(line["what"] == "broken_off" for line in small.log())
    _, address = small.link()
    place = urlsplit(address)
    head = f"PUT {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 999\r\n\r\nabc"
    for _ in range(30):
        with socket.create_connection((place.hostname, place.port), 10) as link:
            link.sendall(head.encode())
            time.sleep(0.05)
    time.sleep(1)
    count = sum(line["what"] == "broken_off" for line in small.log())
    assert 0 < count - before <= 8


def test_a_form_without_a_length_has_the_bound_of_a_capture(small: Served) -> None:
    _, address = small.link()
    head = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
    told = small.curl(
        "-H", "Transfer-Encoding: chunked", "-H", "Content-Type: multipart/form-data; boundary=x",
        "--data-binary", "@-", address,
        data=head + b"a" * (_MOST + (1 << 17)),
    )  # fmt: skip
    assert told.status == 413


def test_names_of_files_in_a_form_mean_nothing(small: Served, tmp_path: Path) -> None:
    link, address = small.link()
    (tmp_path / "x").write_bytes(output())
    told = small.curl("-F", f'capture=@{tmp_path}/x;filename=../../../x\\"<script>', address)
    assert told.status == 201
    assert (small.folder / "quarantine" / link.digest).is_file()


def test_words_of_a_capture_stay_words(small: Served) -> None:
    link, address = small.link()
    data = output().replace(b"\nmachine=", b"\nkernel=<script>alert(1)</script>\nmachine=", 1)
    told = small.curl("-H", "Accept: text/html", "-T", "-", address, data=data)
    assert told.status == 201
    assert "<script" not in told.text
    forged = output() + b'\n{"at": "forged", "what": "accepted"}\n'
    small.curl("-H", "User-Agent: x\tforged", "-T", "-", small.link()[1], data=forged)
    assert not [line for line in small.log() if line["at"] == "forged"]
    assert links.state(small.places, link) == "used"


def test_guesses_are_bounded_and_hold_up_nobody_else(tmp_path: Path) -> None:
    with serving(tmp_path / "hand-in", guesses=5) as served:
        _, address = served.link()
        told = [served.curl(served.address(f"{n:043}")) for n in range(9)]
        assert [one.status for one in told] == [404] * 5 + [429] * 4
        assert len({one.text for one in told}) == 1
        # where they push out nothing of those that are known
        assert [line["what"] for line in served.log("strangers.jsonl")] == ["unknown"] * 5
        assert "unknown" not in [line["what"] for line in served.log()]
        assert served.put(address, output()).status == 201


def test_a_form_of_thousands_of_parts_is_none() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
    form = OneFile("multipart/form-data; boundary=b", lambda _data: None)
    with pytest.raises(BadInput):
        form.write(part * 100)


def test_who_guesses_from_everywhere_is_bounded_too() -> None:
    guesses = Guesses(3)
    within = [guesses.wrong(f"2001:db8::{n:x}") for n in range(10_000)]
    assert sum(within) == 30


def test_a_full_disk_keeps_nothing_and_leaves_the_link(tmp_path: Path) -> None:
    """No file of this server may be larger than 20 KB, as if its disk were full there."""
    with serving(tmp_path / "hand-in", fsize=20_000) as served:
        link, address = served.link()
        assert len(output()) > 20_000
        told = served.put(address, output())
        assert told.status == 507
        assert "暂时没有空间" in told.text
        _untouched(served, link)
    with serving(tmp_path / "hand-in") as served:
        again = served.address(address.rpartition("/")[2])
        assert served.put(again, output()).status == 201


def test_a_really_full_disk(tmp_path: Path) -> None:
    """A tmpfs of 64 KB, in a mount namespace of the server's own."""
    inside = f"mount -t tmpfs -o size=64k none {tmp_path}"
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-rm", "sh", "-c", inside], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("no mount namespace can be had")
    code = (
        "import sys; from datetime import timedelta; from pathlib import Path\n"
        "from collector.handin import links, quarantine\n"
        "from collector.handin.places import Places\n"
        f"places = Places(Path({str(tmp_path)!r}) / 'hand-in')\n"
        "link, _ = links.new(places, 'P-1', 'web-1', 2, timedelta(days=1))\n"
        "upload = quarantine.Upload(places, link)\n"
        "try:\n"
        "    upload.write(b'x' * 200_000); upload.sync()\n"
        "except quarantine.NoRoomError as problem:\n"
        "    print(problem)\n"
        "upload.close()\n"
        "print(links.state(places, link), list(places.room('incoming').iterdir()))\n"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{inside} && exec "$0" -c "$1"', sys.executable, code],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "open []", done.stderr
    assert "no room" in done.stdout


def test_a_full_quarantine_refuses_before_it_reads(tmp_path: Path) -> None:
    with serving(tmp_path / "hand-in", count=1) as served:
        _, first = served.link()
        link, second = served.link()
        assert served.put(first, output()).status == 201
        assert served.put(second, output("b")).status == 507
        _untouched(served, link)


def test_a_server_killed_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "hand-in"
    with serving(folder) as served:
        link, address = served.link()
        with _begun(served, address, 100_000) as sent:
            sent.sendall(b"x" * 50_000)
            for _ in range(100):
                if served.files("incoming"):
                    break
                time.sleep(0.05)
            assert len(served.files("incoming")) == 1
            served.kill()
    # a kill between bytes and receipt leaves bytes that nobody was told of
    (folder / "quarantine" / link.digest).write_bytes(b"x")
    with serving(folder) as served:
        _untouched(served, link)
        again = served.address(address.rpartition("/")[2])
        assert served.put(again, output()).status == 201


def test_the_server_has_no_key_and_no_register(tmp_path: Path) -> None:
    code = (
        "import sys, collector.handin.http\n"
        "print([m for m in sys.modules if m.startswith(('collector.attest', 'collector.pledges', "
        "'sqlalchemy', 'ansible'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"


def test_one_link_does_not_silence_the_others(tmp_path: Path) -> None:
    """What is written of each is bounded; of all together it is no less than that of many."""
    refusals = _Desk(Settings(tmp_path / "hand-in", guesses=20))._refusals
    assert sum(refusals.wrong("loud") for _ in range(5000)) == 20
    assert all(refusals.wrong(f"other {n}") for n in range(100))
