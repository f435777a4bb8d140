"""The two hosts of the story, and how they are looked at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import yaml

from collector import captures, catalog
from collector.assess import assess_host
from collector.facts.data.inventory_signature import KEYS, NAMESPACE
from collector.model import Capture, Finding
from collector.script import collector_script, parse_output
from tests.fleet import Fleet
from tests.fleet.hosts import BECOME_PASSWORD
from tests.fleet.machine import environment
from tests.run.conftest import hostpledge

Document = dict[str, Any]
START = "classification.inventory"
FAMILIES = ("classification.", "backup.", "encryption.")
HERE = Path(__file__).parent
OWNER = "王安全"
JOB = "/usr/local/sbin/backup-shop"
_SCRIPT = collector_script(catalog.all_reads().values())


@dataclass(frozen=True)
class Look:
    """What one look at the host found, by control."""

    capture: Capture
    attached: Mapping[str, bytes]
    findings: dict[str, Finding]

    @classmethod
    def of(
        cls, capture: Capture, attached: Mapping[str, bytes], later: timedelta, grade: int = 2
    ) -> Self:
        assert capture.collected_at is not None
        at = capture.collected_at + later
        found = assess_host(
            capture, catalog.controls().values(), grade=grade, at=at, attached=attached
        )
        return cls(capture, attached, {f.control: f for f in found})

    def at(self, *, later: timedelta = timedelta(), grade: int = 2) -> Self:
        """The same capture, judged so much later or at another grade."""
        return self.of(self.capture, self.attached, later, grade)

    @property
    def resting(self) -> frozenset[str]:
        """The controls that rest on the inventory; not the one that asks for it."""
        every = catalog.controls().values()
        return frozenset(c.id for c in every if "data.inventory" in c.facts) - {START}

    @property
    def verdicts(self) -> dict[str, str]:
        return {id: str(f.result) for id, f in self.findings.items()}

    def changes(self, before: Look) -> dict[str, tuple[str, str]]:
        """Controls of which the verdict is another one: what it was, what it is."""
        old = before.verdicts
        return {id: (old[id], new) for id, new in self.verdicts.items() if old[id] != new}

    def data(self, changes: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
        """Those of the clause's own families."""
        return {id: c for id, c in changes.items() if id.startswith(FAMILIES)}

    def said(self, control: str) -> str:
        return self.findings[control].message.en

    def said_zh(self, control: str) -> str:
        return self.findings[control].message.zh


class Story:
    """`shop` has the database, `vault` the repository; the owner of the data signs elsewhere."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        self.folder = folder
        self.key = folder / "owner"
        self.keys = b""
        self.inventory: Document = {}

    def begin(self) -> Self:
        """The database, and 35 nights of backups; the owner of the data gets a key."""
        given = {
            "vault": self.fleet.hosts["vault"].address,
            "password": BECOME_PASSWORD,
            "certificate": self.sh("cat /srv/restic/cert.pem", host="vault"),
            "script": self.text("backup-shop"),
            "report": self.text("report"),
            "job": JOB,
        }
        self.sh("".join(f"{n}={_quoted(v)}\n" for n, v in given.items()) + self.text("shop.sh"))
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True
        )
        public = self.key.with_suffix(".pub").read_text()
        self.keys = f'"{OWNER}" namespaces="{NAMESPACE}" {public}'.encode()
        return self

    def text(self, name: str) -> str:
        """A file beside this one."""
        return (HERE / name).read_text()

    def sh(self, text: str, *, host: str = "shop") -> str:
        """Runs sh as root, which must end well; gives what it printed."""
        done = self.fleet.execute(host, "sh", "-e", data=text.encode(), seconds=240)
        assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")
        return done.stdout.decode()

    def put(self, path: str, content: bytes) -> None:
        done = self.fleet.execute("shop", "sh", "-c", f"cat >{path}", data=content)
        assert done.returncode == 0, done.stderr

    def filled_in(self, look: Look) -> Document:
        """What `hostpledge inventory init` begins from a look, as its owner completes it."""
        capture = self.folder / "shop.capture.gz"
        captures.write(look.capture, capture)
        begun = hostpledge("inventory", "init", str(capture))
        assert begun.status == 0, begun.err
        document: Document = yaml.safe_load(begun.out)
        today = datetime.now(UTC).date().isoformat()
        document |= {"owner": OWNER, "reviewed": today}
        (store,) = document["stores"]
        encrypted = {"by": OWNER, "date": today, "document": "云硬盘加密设置截图, sha256:5f8e…"}
        store |= {
            "name": "shop",
            "category": "订单与客户资料",
            "personal": True,
            "owner": "李运维",
            "attested": {"encryption": encrypted},
        }
        return document

    def moved(self, path: str) -> Document:
        """The inventory, with the database at another path."""
        (store,) = self.inventory["stores"]
        return {**self.inventory, "stores": [{**store, "path": path}]}

    def sign(self, document: Document) -> None:
        """Lays the inventory on the host, signed by its owner."""
        self.inventory = document
        place = self.folder / "data-inventory.yml"
        place.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
        signature = place.with_name("data-inventory.yml.sig")
        signature.unlink(missing_ok=True)
        words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(self.key), "-n", NAMESPACE, str(place)]
        subprocess.run(words, check=True, capture_output=True)
        for file in (place, signature):
            self.put(f"/etc/hostpledge/{file.name}", file.read_bytes())

    def checked(self, look: Look) -> tuple[int, str]:
        """What `hostpledge inventory check` says of the owner's file, beside a look at the host."""
        capture, keys = self.folder / "shop.capture.gz", self.folder / "owners"
        captures.write(look.capture, capture)
        keys.write_bytes(self.keys)
        words = ("--owner-keys", str(keys), str(self.folder / "data-inventory.yml"), str(capture))
        done = hostpledge("inventory", "check", *words)
        return done.status, " ".join((done.out + done.err).split())

    def look(self) -> Look:
        """One real collection through SSH, judged for its own time."""
        done = subprocess.run(
            [*self.fleet.ssh("shop"), "sh -s"],
            input=_SCRIPT.encode(),
            capture_output=True,
            env=environment(),
            timeout=120,
            check=True,
        )
        return Look.of(parse_output(done.stdout, host="shop"), {KEYS: self.keys}, timedelta())

    @contextmanager
    def changed(self, change: str, back: str) -> Iterator[None]:
        """The host after `change`, and then as it was."""
        self.sh(change)
        try:
            yield
        finally:
            self.sh(back)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
