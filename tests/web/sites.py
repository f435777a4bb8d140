"""A register with real bundles, and its page: by requests in this process, or served for real."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from collector.handin import http as handin
from collector.pledges.database import location
from collector.pledges.register.register import Register
from collector.web.asking.asker import House
from collector.web.asking.settings import Settings
from collector.web.keeping import accounts as keeping
from collector.web.keeping.accounts import Account
from collector.web.keeping.state import State
from collector.web.serving.app import application, house
from tests.pledges import lives
from tests.pledges.bundles import Signer
from tests.pledges.records import made

PASSWORD = "correct horse battery"
ORIGIN = "http://127.0.0.1:8300"
NAMES = {
    "demo-0": "杭州示例云帆科技有限公司",
    "demo-1": "宁波样例<script>alert(1)</script>港务",
    "demo-2": "绍兴测试纺织厂",
    "demo-3": "温州试点教育集团",
}
ACCOUNTS = (
    Account("boss", "manager"),
    Account("eng", "engineer"),
    Account("aud", "auditor", frozenset({"demo-0", "demo-1"}), date(2099, 12, 31)),
    Account("late", "auditor", frozenset({"demo-0"}), date(2020, 1, 1)),
    Account("cust", "customer", frozenset({"demo-2"})),
)


@dataclass(frozen=True)
class Place:
    """Where a register is, what it is signed with, and where the page keeps its own."""

    register: str
    state: str
    signer: Signer
    home: Path


def filled(folder: Path) -> Place:
    """Four customers: demo-0 mended once and broke again, demo-3 has no evidence."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "register").mkdir()
    where = str(folder / "register" / "register.sqlite")
    register = Register.open(where)
    for number, (id, name) in enumerate(NAMES.items()):
        register.add(record(id, name, number))
    signer, now = Signer(folder / "signer"), datetime.now(UTC)
    for id, taken, days in (
        ("demo-0", "weak", 60),
        ("demo-0", "hardened", 30),
        ("demo-0", "weak", 2),
        ("demo-1", "hardened", 9),
        ("demo-2", "weak", 8),
    ):
        at = now - timedelta(days=days)
        lives.check(register, id, signer, lives.captured(taken), at)
    return Place(where, str(folder / "state"), signer, folder)


def record(id: str, name: str, number: int) -> Any:
    document = made().document
    changes: dict[str, Any] = {
        "id": id,
        "customer": {**document["customer"], "name": name},
        "resources": {**document["resources"], "hosts": ["web-01"]},
    }
    if number == 0:
        changes["follow_ups"] = [
            {"control": "encryption.password_hash", "host": "web-01", "owner": "周示例",
             "due": "2026-01-20", "note": "电话 13800000001"},
        ]  # fmt: skip
        changes["waivers"] = [
            {"control": "encryption.transport", "host": "web-01", "reason": "年底下线",
             "approver": "林示例", "expires": "2099-12-31"},
        ]  # fmt: skip
    return made(**changes)


def with_accounts(state: str) -> State:
    """All of ACCOUNTS, with one password."""
    opened = State.open(state)
    known = keeping.Accounts(opened)
    for one in ACCOUNTS:
        known.add(one, PASSWORD)
    return opened


class Site:
    """The application, and browsers without a window."""

    def __init__(self, place: Place, settings: Settings | None = None) -> None:
        self.place = place
        self.house: House = house(place.register, State.open(place.state), settings or Settings())
        folder = location.place(place.register).hand_in
        self.app = application(self.house, handin.routes(handin.Settings(folder)))
        self.house.index.renew()

    def browser(self, name: str = "", *, peer: str = "127.0.0.1", base: str = ORIGIN) -> Browser:
        """Of somebody who has signed in, where a name is given."""
        client = TestClient(
            self.app, base_url=base, follow_redirects=False, client=(peer, 40000),
            headers={"accept-language": "en"},
        )  # fmt: skip
        found = Browser(client)
        if name:
            assert found.sign_in(name).status_code == 303, name
        return found


class Browser:
    """Keeps cookies, and fills in forms as they stand in a page."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer: httpx.Response = self.client.get(path, headers=headers)
        return answer

    def post(
        self, path: str, form: Mapping[str, str], token: str | None = None, **headers: str
    ) -> httpx.Response:
        """With the token that the page `path` gives, unless one is given."""
        if token is None:
            token = self.token("/sign-in" if path.startswith("/sign-in") else "/password")
        body = {"csrf": token, **form}
        answer: httpx.Response = self.client.post(path, data=body, headers=headers)
        return answer

    def token(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]*)"', self.get(path).text)
        assert found is not None, path
        return found[1]

    def sign_in(
        self, name: str, password: str = PASSWORD, next: str = "", **headers: str
    ) -> httpx.Response:
        query = f"?next={next}" if next else ""
        form = {"name": name, "password": password}
        return self.post(f"/sign-in{query}", form, **headers)


@pytest.fixture(scope="package")
def once(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTPLEDGE_HOME", str(folder / "home"))
        found = filled(folder)
    with_accounts(found.state)
    return found


@pytest.fixture(autouse=True, scope="module")
def at_home(once: Place) -> Iterator[None]:
    """Each module is who filled the one register, and before its own fixtures: one that outlives
    a module's would be undone by that one's end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTPLEDGE_HOME", str(once.home / "home"))
        yield


@pytest.fixture(scope="package")
def place(once: Place) -> Place:
    """One register for all that only looks at it."""
    return once


@pytest.fixture(scope="package")
def site(place: Place) -> Site:
    return Site(place)


@contextmanager
def served(place: Place, *words: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`hostpledge serve` as a process: its address, and the process."""
    port = port or free_port()
    command = [
        sys.executable, "-m", "collector", "serve", "--port", str(port),
        "--register", place.register, "--state", place.state, *words,
    ]  # fmt: skip
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, env={**os.environ, "HOSTPLEDGE_LANG": "en"},
    )  # fmt: skip
    try:
        wait(port, running)
        yield f"http://127.0.0.1:{port}", running
    finally:
        running.terminate()
        running.wait(30)
        assert running.stdout is not None
        running.stdout.close()


def wait(port: int, running: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        else:
            return


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
