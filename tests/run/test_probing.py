"""How probes are stopped, put together and asked for, without a host."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collector.errors import BadInput
from collector.facts.probed.recording import NAMES, recording
from collector.model import Capture, HostStatus
from collector.run.probing import acts, arrived, from_here, stops, stores, texts
from collector.run.probing.acts import ACTS
from collector.run.probing.site import Site, Undone

SHELLS = [
    [path, *more]
    for name, *more in (("dash",), ("bash", "--posix"), ("busybox", "sh"), ("mksh",))
    if (path := shutil.which(name))
]
_LOGIN = "10.0.0.7 port 4321"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-29T{text}:00+08:00")


@pytest.mark.parametrize(
    ("window", "now", "end"),
    [
        ("02:00-04:00", "02:00", "2026-11-29T04:00:00+08:00"),
        ("02:00-04:00", "03:59", "2026-11-29T04:00:00+08:00"),
        ("23:00-02:00", "23:30", "2026-11-30T02:00:00+08:00"),
        ("23:00-02:00", "01:30", "2026-11-29T02:00:00+08:00"),
        ("20:00-24:00", "22:00", "2026-11-30T00:00:00+08:00"),
    ],
)
def test_a_window_ends(window: str, now: str, end: str) -> None:
    found = stops.until(window, _at(now))
    assert found is not None and found.isoformat() == end


@pytest.mark.parametrize(
    ("window", "now"),
    [("02:00-04:00", "04:00"), ("02:00-04:00", "01:59"), ("23:00-02:00", "02:00"), ("2-4", "03:00"),
     ("02:00-25:00", "03:00"), ("02:00-24:30", "03:00"), ("02:00-02:00", "02:00")],
)  # fmt: skip
def test_outside_of_a_window_nothing_begins(window: str, now: str) -> None:
    with pytest.raises(BadInput, match="--window"):
        stops.until(window, _at(now))


@pytest.mark.parametrize(
    ("now", "end"), [("01:00", "2026-11-29T04:00:00+08:00"), ("05:00", "2026-11-30T04:00:00+08:00")]
)
def test_a_plan_is_looked_at_before_its_window(now: str, end: str) -> None:
    found = stops.until("02:00-04:00", _at(now), ahead=True)
    assert found is not None and found.isoformat() == end


def test_the_switch_is_a_file_that_anybody_can_see() -> None:
    assert stops.stopped() is None
    place = stops.stop()
    assert stops.stopped() == place and place.is_file()
    assert stops.stop() == place
    assert stops.go_on() and stops.stopped() is None and not stops.go_on()


def test_one_command_at_a_time() -> None:
    with stops.alone(), pytest.raises(BadInput, match="another hostpledge probe"), stops.alone():
        pass


def _site(answer: str | None, halt: str = "") -> Site:
    site = Site(
        "integrity", Capture("a", HostStatus.COMPLETE), lambda *_: answer, lambda *_: "", {}
    )
    site.halt = lambda: halt
    return site


def test_nothing_is_sent_once_it_is_stopped() -> None:
    with pytest.raises(Undone) as why:
        _site("== end", "window 04:00").act("integrity")
    assert why.value.args == ("window", "04:00")


def test_a_connection_that_is_lost_is_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.run.probing.site._PATIENCE", 0.2)
    monkeypatch.setattr("collector.run.probing.site._PAUSE", 0.0)
    answers = iter(["planted /etc/x\n", None, "undone busy\n== end\n", "left /etc/x\n== end\n"])
    site = _site(None)
    site.ask = lambda *_: next(answers)
    with pytest.raises(Undone):
        site.act("integrity")
    assert ("left", "/etc/x") in site.own
    gone = _site(None)
    with pytest.raises(Undone):
        gone.act("integrity")
    assert gone.own[0][0] == "left", "that nothing is left is not known"


def test_what_is_recorded_is_read_again() -> None:
    site = _site("planted /etc/x\nleft /etc/y\n== end\n")
    site.note("consent", "somebody\nprobe time")
    site.act("integrity")
    read = site.recorded()
    made = recording(Capture("a", HostStatus.COMPLETE, reads={read.id: read}), "integrity")
    assert made is not None and made.nonce == site.nonce
    assert made.said("planted") == ("/etc/x",) and made.left == ("/etc/y",)
    more = arrived.added(read, ["store ssh:x:/y", "arrived a\n== end"])
    again = recording(Capture("a", HostStatus.COMPLETE, reads={read.id: more}), "integrity")
    assert again is not None and again.all("arrived") == ("a == end",)
    assert again.said("planted") == ("/etc/x",)


def test_each_probe_of_the_list_is_there() -> None:
    assert set(ACTS) == set(NAMES)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: Path(words[0]).name)
@pytest.mark.parametrize("name", sorted(texts._PARTS))
def test_every_shell_reads_every_text(shell: list[str], name: str) -> None:
    text = texts.act(name, "0123456789abcdef", {"PATH": "it's $(id) `id`"})
    done = subprocess.run([*shell, "-n"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: Path(words[0]).name)
def test_of_a_text_that_is_cut_off_nothing_is_done(shell: list[str], tmp_path: Path) -> None:
    """Whatever the length at which the connection ended: no act begins."""
    text = texts.act("integrity", "0123456789abcdef", {})
    for length in range(0, len(text) - len("hp_main </dev/null\n"), 97):
        done = subprocess.run(
            shell, input=text[:length].encode(), capture_output=True, check=False, cwd=tmp_path,
            env={"PATH": "/nowhere"},
        )  # fmt: skip
        assert b"planted" not in done.stdout and b"== end" not in done.stdout


@pytest.mark.parametrize(
    ("store", "host"),
    [
        ("", ""),
        ("ssh:logs:/var/log/remote/a.log,/var/log/b", "logs"),
        ('loki+https://loki.example:3100/?query={job="a"}', ""),
        ("es+http://es.example:9200/logs", ""),
    ],
)
def test_stores(store: str, host: str) -> None:
    assert arrived.host_of(store) == host


@pytest.mark.parametrize(
    "store",
    ["logs", "ssh:logs", "ssh::/x", "ssh:logs:x", "ssh:logs:/x $(id)", "http://x/", "ssh:a:/x,"],
)
def test_what_names_no_store(store: str) -> None:
    with pytest.raises(BadInput, match="--log-store"):
        arrived.host_of(store)


# --- a stand-in for Loki and Elasticsearch, which answers in the form of their manuals -----------


class _StandIn(BaseHTTPRequestHandler):
    lines: tuple[str, ...] = ()
    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)["query"][0]
        self.seen.append((query, self.headers.get("Authorization", "")))
        values = [["1", line] for line in self.lines]
        self._answer({"status": "success", "data": {"resultType": "streams", "result": [
            {"stream": {"job": "x"}, "values": values}]}})  # fmt: skip

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((body["query"]["multi_match"]["query"], self.path))
        self._answer({"hits": {"hits": [{"_source": {"message": x}} for x in self.lines]}})

    def _answer(self, document: Any) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def stand_in() -> Iterator[tuple[str, type[_StandIn]]]:
    kind = type("Own", (_StandIn,), {"seen": []})
    server = HTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", kind
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "form", ["loki+http://{at}/?query=%7Bjob%3D%22a%22%7D", "es+http://{at}/logs"]
)
def test_a_store_by_http(
    stand_in: tuple[str, type[_StandIn]], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_LOG_STORE_AUTHORIZATION", "Bearer x")
    at, kind = stand_in
    store = form.format(at=at)
    kind.lines = ("of another", f"Accepted publickey for root from {_LOGIN} ssh2")
    found = list(stores.ask(store, _LOGIN, datetime.now(UTC), 0))
    assert found[0] == ("store_asked", "ok")
    assert [key for key, _ in found] == ["store_asked", "arrived"] and _LOGIN in found[1][1]
    kind.lines = ()
    assert list(stores.ask(store, _LOGIN, datetime.now(UTC), 0)) == [("store_asked", "ok")]
    assert _LOGIN in kind.seen[0][0]
    assert "query" not in stores.shown(store)


def test_a_store_that_does_not_answer_is_told() -> None:
    ((key, why),) = stores.ask("es+http://127.0.0.1:9/logs", _LOGIN, datetime.now(UTC), 0)
    assert key == "store_asked" and "refused" in why


# --- what an act refuses before it sends anything ------------------------------------------------


def _refused(name: str, **origin: Any) -> str:
    asked: list[str] = []

    def ask(text: str, _: float) -> str:
        asked.append(text)
        return ""

    given = {"addresses": [], "store": "", "store_seconds": 0, "ban_from": "", "restore": {}}
    capture = Capture("a", HostStatus.COMPLETE, origin=origin)
    site = Site(name, capture, ask, ask, given)
    with pytest.raises(Undone) as why:
        ACTS[name](site)
    assert not asked
    return str(why.value.args[0])


@pytest.mark.parametrize("name", ["time", "log_arrival", "failed_login", "outside_ports"])
def test_this_very_machine_is_not_probed_from_itself(name: str) -> None:
    """Its clock is our own, its login somebody's of long ago, its address anybody's."""
    assert _refused(name, transport="ansible-local", address="local") == "not_direct"


@pytest.mark.parametrize("name", ["failed_login", "outside_ports"])
def test_an_address_that_may_be_anothers_gets_nothing(name: str) -> None:
    """Behind a jump host, or a forwarded port: it is none of those that the host has."""
    assert _refused(name, transport="ansible-ssh", address="192.0.2.1", port=22) == "not_direct"


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def _seen_as(port: int, *seen: str) -> None:
    """What the host says of whose connection it sees, to one that comes from 127.0.0.1."""
    said = "".join(f"seen {one}\n" for one in seen)
    site = Site(
        "ban", Capture("a", HostStatus.COMPLETE), lambda *_: f"{said}== end\n", lambda *_: "", {}
    )
    acts._seen_as(site, "127.0.0.1", port, "127.0.0.1")


@pytest.mark.parametrize("seen", ["127.0.0.1", "[::ffff:127.0.0.1]"])
def test_the_host_sees_the_address_that_would_be_banned(listening: int, seen: str) -> None:
    _seen_as(listening, "10.9.9.9", seen)


@pytest.mark.parametrize("seen", [(), ("10.0.0.9",), ("127.0.0.11",), ("[::1]",), ("nonsense",)])
def test_behind_an_address_translation_nobody_is_banned(
    listening: int, seen: tuple[str, ...]
) -> None:
    """It would be the control node's own, or that of everybody behind it."""
    with pytest.raises(Undone, match="other_source"):
        _seen_as(listening, *seen)


def test_an_address_without_a_way_to_the_host(listening: int) -> None:
    site = Site("ban", Capture("a", HostStatus.COMPLETE), lambda *_: "== end\n", lambda *_: "", {})
    with pytest.raises(Undone, match="no_way"):
        acts._seen_as(site, "127.0.0.1", listening, "192.0.2.77")


@pytest.mark.parametrize("shell", SHELLS, ids=[" ".join(s[1:]) or s[0] for s in SHELLS])
def test_who_is_seen_is_asked_of_the_kernel(listening: int, shell: list[str]) -> None:
    with from_here.held("127.0.0.1", listening, "127.0.0.1") as own:
        assert own
        text = texts.act("ban_seen", "0123456789abcdef", {"PORT": str(own)})
        done = subprocess.run(shell, input=text, capture_output=True, text=True, check=False)
    # of a loopback connection both ends are seen
    assert "seen 127.0.0.1" in done.stdout.splitlines(), done
    assert done.stdout.splitlines()[-1] == "== end"


# what is laid down beside the room: small, and ours
_BESIDE = {"ended", "rc", "err", "cut"}


@pytest.mark.parametrize("name", [name for name in texts._PARTS if name.startswith("restore_")])
def test_a_restore_lays_down_nothing_beside_its_room(name: str) -> None:
    """/run is the host's: how much a copy holds decides whoever has data in it."""
    own = "".join(
        texts._part(part) for part in texts._PARTS[name] if part not in ("none", "room", "begin")
    )
    written = set(re.findall(r">\s*\"?\$HP_D/(\w+)", own))
    assert written <= _BESIDE, written
    assert "hp_files" in own or "hp_own" in own
    # what is cut off for want of room is no fault of the copy
    assert set(re.findall(r"say ['\"]state (\w+)", own)) <= {"broken"}
    assert "room" in texts._PARTS[name]


def test_no_text_runs_as_an_account_of_others() -> None:
    """What runs as nobody is any service's that does too."""
    for path in sorted(Path(texts.__file__).parent.glob("*.sh")):
        text = path.read_text("utf-8")
        assert "65534" not in text, path
        for told in re.findall(r"--reuid=(\S+)", text):
            # a repository is read as whoever it is of
            assert told in ('"$HP_NONE"', '"${hp_u:-root}"'), (path, told)


def test_without_settings_nothing_is_restored_or_banned() -> None:
    assert _refused("restore", transport="ansible-ssh") == "no_settings"
    assert _refused("ban", transport="ansible-ssh") == "no_address"


@pytest.mark.parametrize(
    ("declared", "refused"), [([], False), (["192.0.2.0/24"], False), (["198.51.100.0/24"], True)]
)
def test_only_addresses_of_the_pledge_are_asked(declared: list[str], refused: bool) -> None:
    if not refused:
        acts._pledged("192.0.2.1", declared)
        return
    with pytest.raises(Undone, match="not_pledged"):
        acts._pledged("192.0.2.1", declared)


@pytest.mark.parametrize("name", ["failed_login", "ban", "outside_ports"])
def test_nothing_is_sent_to_an_address_that_the_pledge_does_not_declare(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "target", lambda _: ("192.0.2.1", 22))
    given = {"addresses": ["198.51.100.0/24"], "ban_from": "192.0.2.77"}
    origin = {"transport": "ansible-ssh", "address": "192.0.2.1", "port": "22"}
    capture = Capture("a", HostStatus.COMPLETE, origin=origin)
    site = Site(name, capture, lambda *_: pytest.fail("asked"), lambda *_: "", given)
    with pytest.raises(Undone, match="not_pledged"):
        ACTS[name](site)


@pytest.mark.parametrize(("said", "blur"), [("1795957999.250000000", 0.0), ("1795957999", 0.5)])
def test_a_date_of_whole_seconds_is_less_sure(said: str, blur: float) -> None:
    capture = Capture("a", HostStatus.COMPLETE, origin={"transport": "ansible-ssh"})
    answer = f"hostpledge-clock {said}.%N" if blur else f"hostpledge-clock {said}"
    site = Site("time", capture, lambda *_: "", lambda *_: answer, {})
    ACTS["time"](site)
    pairs = [value.split() for key, value in site.own if key == "exchange"]
    assert len(pairs) == 3 and all(float(unsure) >= blur for _, unsure in pairs)
