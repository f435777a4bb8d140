"""A random walk over one pledge: whatever happened to it, all places say the same of it."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import io
import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import CliRunner

from collector import captures, catalog, releases
from collector.attest.bundle import making
from collector.attest.trust.trust_file import Trust
from collector.cli.app import hostpledge as cli
from collector.errors import CollectorError
from collector.model import Control, Severity
from collector.pledges.record import form
from collector.pledges.record.form import from_document
from collector.pledges.record.times import CHINA
from collector.pledges.record.voiding import voided, with_void, without_void
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.web.pages import customer
from collector.web.reading.standings import PAST, STANDINGS
from tests.clock import signing_after
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, silent
from tests.pledges.records import made
from tests.web.sites import Place, Site, with_accounts

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
HASH, ID = "encryption.password_hash", "demo-2026"
# of the last two the host says that there is nothing to do, one by the inventory of its record
CONTROLS = (HASH, "encryption.storage", "firewall.default_deny", "monitoring.event_ledger")
CLAUSES = ("2.2", "2.3", "2.4")
WALKS = int(os.environ.get("HOSTPLEDGE_WALKS", "3"))
STEPS = int(os.environ.get("HOSTPLEDGE_STEPS", "7"))
TAKEN = {
    "weak": lambda: captured("weak"),
    "hardened": lambda: captured("hardened"),
    "silent": lambda: dataclasses.replace(silent(), origin=captured("weak").origin),
}


class Walk:
    """The pledge, the trust of whoever looks, and the page; each step is one thing done."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self.folder = folder
        self.signers = [Signer(folder / f"signer{n}") for n in range(2)]
        self.over: set[int] = set()
        self._trust()
        self.register = Register.open(str(folder / "register.sqlite"), create=True)
        self.register.add(self._record(resources=self._hosts("web-01"), grade=3))
        first = self.register.get(ID).document
        self._known = {"inventory": first["data_inventory"], "period": first["period"]}
        place = Place(str(self.register.where), str(folder / "state"), self.signers[0], folder)
        with_accounts(place.state)
        self.site = Site(place)
        self.done: list[str] = []
        self._turn = 0
        self._well()

    def step(self) -> None:
        """One of all there are, as if somebody had done it; what is refused changes nothing."""
        odd: list[Callable[[], str]] = [
            self._look, self._look, self._declare, self._grade, self._inventory, self._void,
            self._key, self._waive, self._end, self._renew, self._period, self._assign,
        ]  # fmt: skip
        # what was spoiled is put right now and then, so that what comes next shows
        step = self._well if self._random.random() < 0.4 else self._random.choice(odd)
        try:
            said = step()
        except CollectorError as problem:
            said = f"refused: {problem}"[:300]
        self.done.append(f"{step.__name__} {said}")

    def _well(self) -> str:
        """All in order again: a record that stands, and a look at all that it declares."""
        self.over.clear()
        self._trust()
        now = json.loads(self.register.get(ID).canonical())
        self._change(
            ended=None, grade=self._random.choice((2, 3)), data_inventory=self._known["inventory"],
            resources=self._hosts(*(now["resources"]["hosts"] or ["web-01"])),
            period=self._known["period"],
        )  # fmt: skip
        hosts = tuple(self.register.get(ID).hosts)
        return self._looked(hosts, self._random.choice((2, 1, 0, 0)), "hardened")

    def _look(self) -> str:
        hosts = self._random.choice((("web-01",), ("web-01",), ("web-02",), ("web-01", "web-02")))
        return self._looked(hosts, self._random.choice((100, 40, 10, 5, 2, 1, 0)))

    def _looked(self, hosts: tuple[str, ...], age: int, name: str = "") -> str:
        """At these hosts so many days ago, each as `name` was, or as one of TAKEN."""
        at = NOW - timedelta(days=age, minutes=60 - self._turn % 60)
        self._turn += 1
        which = 0 if name else self._random.randrange(2)
        folder = self.signers[which].folder / f"{self._turn}"
        folder.mkdir(parents=True)
        names = [name or self._random.choice((*TAKEN, "weak")) for _ in hosts]
        files = [folder / f"{host}{captures.SUFFIX}" for host in hosts]
        for file, host, one in zip(files, hosts, names, strict=True):
            captures.write(_of(TAKEN[one](), host, at), file)
        known = self.register.get(ID)
        controls = CONTROLS if name else self._random.choice((CONTROLS, CONTROLS, (HASH,)))
        with signing_after(at):
            done = making.make(
                files, folder / "bundle", self.signers[which].key,
                controls=[catalog.control(one) for one in controls if _is_of(one, known.grade)],
                grade=known.grade, at=at, waivers=form.waivers(known),
                attached=form.attached_documents(known), pledge=self.register.reference(ID),
            )  # fmt: skip
        older = not name and self._random.random() < 0.2
        said = f"{list(zip(hosts, names, strict=True))} {age} d ago, key {which}, {older=}"
        self.done.append(f"{said}, {len(controls)} controls, grade {known.grade}")
        attach(self.register, ID, done.path, self.trust, older=older)
        return ""

    def _change(self, **changes: Any) -> str:
        known = json.loads(self.register.get(ID).canonical())
        new = {name: value for name, value in (known | changes).items() if value is not None}
        self.register.add(from_document(new, where="", today=TODAY), update=True)
        return f"{changes}"[:160]

    def _declare(self) -> str:
        hosts = self._random.choice((["web-01"], ["web-01", "web-02"], ["web-02"], []))
        return self._change(resources=self._hosts(*hosts))

    def _grade(self) -> str:
        return self._change(grade=self._random.choice((2, 3)))

    def _inventory(self) -> str:
        held = self._known["inventory"]
        other = {**held, "reviewed": (TODAY - timedelta(days=3)).isoformat()}
        return self._change(data_inventory=self._random.choice((None, other, held)))

    def _void(self) -> str:
        known, count = self.register.get(ID), len(self.register.every_evidence(ID))
        if not count:
            return "nothing"
        number = self._random.randrange(count) + 1
        if number in {one["sequence"] for one in voided(known)}:
            self.register.change(ID, lambda r: without_void(r, number, today=TODAY))
            return f"not void any more: {number}"
        entry = {
            "sequence": number,
            "digest": self.register.every_evidence(ID)[number - 1].digest,
            "date": TODAY.isoformat(),
            "reason": "错附",
            "by": "周示例",
        }
        self.register.change(ID, lambda r: with_void(r, entry, today=TODAY))
        return f"void {number}"

    def _key(self) -> str:
        number = self._random.randrange(2)
        self.over ^= {number}
        self._trust()
        return f"keys over: {self.over}"

    def _waive(self) -> str:
        days = self._random.choice((30, 30, 0, None))
        waiver = {"control": HASH, "host": "*", "reason": "年底下线", "approver": "林示例"}
        until = None if days is None else (TODAY + timedelta(days=days)).isoformat()
        return self._change(waivers=None if until is None else [waiver | {"expires": until}])

    def _end(self) -> str:
        ended = {"date": TODAY.isoformat(), "reason": "other", "by": "周示例"}
        return self._change(ended=self._random.choice((None, None, ended)))

    def _renew(self) -> str:
        """The next period's record, a draft first."""
        draft = self._random.choice((True, False))
        changes = {"id": "next-1", "renews": ID, "attestations": None, "draft": draft or None}
        document = {**self._record().document, **changes, **({"documents": []} if draft else {})}
        there = "next-1" in {one.id for one in self.register.list()}
        new = {name: value for name, value in document.items() if value is not None}
        self.register.add(from_document(new, where="", today=TODAY), update=there)
        return f"{draft=}"

    def _period(self) -> str:
        until = TODAY + timedelta(days=self._random.choice((200, 20, -1, -40)))
        begun = until - timedelta(days=364)
        return self._change(period={"from": begun.isoformat(), "until": until.isoformat()})

    def _assign(self) -> str:
        entry = {"control": HASH, "host": "web-01", "owner": "周示例"}
        due = TODAY + timedelta(days=self._random.choice((-2, 5)))
        return self._change(follow_ups=[entry | {"due": due.isoformat()}])

    def _trust(self) -> None:
        keys = []
        for number, signer in enumerate(self.signers):
            (key,) = signer.trust.keys
            revoked = NOW - timedelta(days=3) if number in self.over else None
            keys.append(dataclasses.replace(key, revoked_at=revoked) if revoked else key)
        self.trust = Trust(tuple(keys))
        (self.folder / "trust.json").write_bytes(self.trust.to_bytes())

    def _hosts(self, *hosts: str) -> dict[str, Any]:
        return {**made().document["resources"], "hosts": list(hosts)}

    def _record(self, **changes: Any) -> Any:
        return made(**{"id": ID, **changes})


def _is_of(control: str, grade: int) -> bool:
    return any(one.id == control for one in catalog.select((), grade))


def _of(taken: Any, host: str, at: datetime) -> Any:
    nonce = hashlib.sha256(f"{taken.nonce} {host} {at}".encode()).hexdigest()[: len(taken.nonce)]
    return dataclasses.replace(
        taken, host=host, collected_at=at, nonce=nonce,
        origin=MappingProxyType({**taken.origin, "clock": at.isoformat()}),
        head=MappingProxyType({**taken.head, "clock": str(int(at.timestamp()))}),
    )  # fmt: skip


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Few controls, and one of them is grave: so a clause is broken now and then."""
    known, weighs = releases.current(), Control.severity_at
    grave = dataclasses.replace(
        known.controls[HASH],
        weighs=MappingProxyType(
            {at: {**it, "severity": "high"} for at, it in known.controls[HASH].weighs.items()}
        ),
    )
    controls = {name: known.controls[name] for name in CONTROLS} | {HASH: grave}
    few = dataclasses.replace(known, controls=MappingProxyType(controls))
    monkeypatch.setattr(
        Control, "severity_at", lambda one, at: Severity.HIGH if one.id == HASH else weighs(one, at)
    )
    monkeypatch.setattr(releases, "current", lambda: few)
    monkeypatch.setattr(releases, "find", lambda _digest: few)
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(tmp_path / "trust.json"))
    yield tmp_path


def _asked(walk: Walk, *words: str) -> str:
    given = [*words, "--register", str(walk.register.where), "--lang", "en"]
    done = CliRunner().invoke(cli, given, standalone_mode=False)
    assert not done.exception, (words, done.exception)
    return done.stdout.lstrip("\ufeff")


def _row(text: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    return next(row for row in rows if row["id"] == ID)


def places(walk: Walk) -> dict[str, dict[str, Any]]:
    """By what is asked, what each place answers."""
    walk.site.house.index.renew()
    now = datetime.now(UTC)
    browser = walk.site.browser("boss")
    every = json.loads(_asked(walk, "pledge", "list", "--format", "json"))["pledges"]
    (listed,) = (one for one in every if one["id"] == ID)
    told = json.loads(_asked(walk, "pledge", "status", ID, "--format", "json"))
    row = walk.site.house.rows.one(ID)
    assert row is not None
    line = _row(_asked(walk, "pledge", "list", "--format", "csv"))
    page_line = _row(browser.get("/export.csv?life=all&lang=en").text)
    dossier = walk.site.house.customer.dossier(ID, now, None, "en")
    newest = dossier.found_now().looks(walk.site.house.customer.looks(dossier))
    answers = customer._answers(dossier, newest, "en", readable=True)
    answered = {one["id"]: one["result"] for one in answers}
    found: dict[str, dict[str, Any]] = {}
    for clause in CLAUSES:
        column = f"c{clause.replace('.', '')}"
        (standing,) = (
            one for one in told["clauses"] if one["clause"] == f"responsibility.{clause}"
        )
        found[f"clause {clause}"] = {
            "list": listed["proven"][clause],
            "list csv": line[f"clause_{clause}"],
            "overview": row[column],
            "overview csv": page_line[f"clause_{clause}"],
            "page": str(answered[clause] or "none"),
            "status": standing["verdict"] or "none",
        }
    found["standing"] = {"overview": row["standing"], "page": dossier.standing}
    month = json.loads(walk.site.house.state.value("months") or "[{}]")[-1]
    counted = [word for word in STANDINGS if month.get(word)]
    if dossier.status.state not in PAST and dossier.last is not None:
        found["standing"]["trend"] = counted[0]
    else:
        found["trend without it"] = {"trend": counted, "expected": []}
    whole = json.loads(_asked(walk, "pledge", "dossier", ID, "--format", "json"))
    found["satisfied"] = {"status": told["satisfied"], "dossier": whole["satisfied"]}
    mine = json.loads(_asked(walk, "pledge", "findings", ID, "--all", "--format", "json"))
    of_all = json.loads(_asked(walk, "pledge", "findings", "--all", "--format", "json"))
    page = csv.DictReader(
        io.StringIO(browser.get(f"/pledges/{ID}/findings.csv?lang=en").text.lstrip("\ufeff"))
    )
    key = ("host", "control", "state", "verdict")
    found["findings"] = {
        "findings": sorted(tuple(one[k] for k in key) for one in mine["findings"]),
        "all findings": sorted(
            tuple(one[k] for k in key) for one in of_all["findings"] if one["pledge"] == ID
        ),
        "page": sorted(tuple(one[k] for k in key) for one in page),
    }
    return found


def _unread(answers: dict[str, Any]) -> bool:
    """Lists read no bundle of before, and say "not verified" of what another look failed."""
    read = {answers.get(name) for name in ("page", "status")}
    lists = {one for name, one in answers.items() if name not in ("page", "status")}
    return read == {"fail"} and lists == {"error"}


@pytest.mark.usefixtures("small")
def test_a_clause_can_be_broken(tmp_path: Path) -> None:
    """Or no walk would ever see one."""
    walk = Walk(tmp_path, 0)
    walk._looked(("web-01",), 0, "weak")
    found = places(walk)
    assert set(found["clause 2.4"].values()) == {"fail"}
    assert set(found["standing"].values()) == {"broken"}


@pytest.mark.usefixtures("small")
def test_a_host_that_failed_and_is_declared_since_breaks_its_clause_everywhere(
    tmp_path: Path,
) -> None:
    """The newest evidence is whole as of its own day, and silent about that host."""
    walk = Walk(tmp_path, 0)
    walk._looked(("web-02",), 5, "weak")
    walk._looked(("web-01",), 0, "hardened")
    assert set(places(walk)["standing"].values()) != {"broken"}
    walk._change(resources=walk._hosts("web-01", "web-02"))
    assert set(places(walk)["standing"].values()) == {"broken"}


@pytest.mark.usefixtures("small")
def test_trust_that_was_mended_counts_at_once(tmp_path: Path) -> None:
    """A page is open for months: whom it was told to trust when it began is not asked for ever."""
    walk = Walk(tmp_path, 0)
    first = places(walk)["clause 2.4"]
    walk.over = {0, 1}
    walk._trust()
    assert places(walk)["clause 2.4"] != first
    with contextlib.suppress(CollectorError):
        walk._well()
    assert places(walk)["clause 2.4"] == first


@pytest.mark.parametrize("seed", range(WALKS))
@pytest.mark.usefixtures("small")
def test_all_places_agree(tmp_path: Path, seed: int) -> None:
    walk = Walk(tmp_path, seed + int(os.environ.get("HOSTPLEDGE_WALK", "0")))
    for _ in range(STEPS):
        walk.step()
        for what, answers in places(walk).items():
            words = {json.dumps(one, sort_keys=True) for one in answers.values()}
            agreed = len(words) <= 1 or words == {'"none"', '"notchecked"'} or _unread(answers)
            said = (*walk.done, what, *(f"{where}: {one}" for where, one in answers.items()))
            assert agreed, "\n".join(said)
