"""The data inventory read strictly, and where its paths lie."""

from __future__ import annotations

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.data.inventory import inventory
from collector.facts.data.inventory_paths import links_in, place
from collector.model import Capture, CapturedFile, Facts, HostStatus, ReadResult, ReadStatus

HEAD = (
    "schema: urn:hostpledge:schema:data-inventory:1\nowner: 张三\nreviewed: 2026-11-01\nstores:\n"
)
STORE = "  - {name: a, kind: path, path: /srv/a, category: c, level: 重要, owner: 李四}\n"


def _facts(text: str | None, host: str = "h", **reads: str) -> Facts:
    found = {
        f"inventory.{id}": ReadResult(f"inventory.{id}", ReadStatus.OK, stdout=out.encode())
        for id, out in reads.items()
    }
    capture = Capture(host, HostStatus.COMPLETE, reads=found)
    return Facts(capture, {} if text is None else {"data-inventory": text.encode()})


def _changed(**values: str) -> str:
    line = STORE
    for name, value in values.items():
        start = line.index(f"{name}: ")
        end = min(i for i in (line.find(",", start), line.find("}", start)) if i > 0)
        line = f"{line[:start]}{name}: {value}{line[end:]}"
    return HEAD + line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a data inventory"),
        ("[]", "not a data inventory"),
        (HEAD + "  []\n", "stores"),
        (HEAD + STORE + STORE, "'a' stands twice"),
        (_changed(path="srv/a"), "stores[0].path"),
        (_changed(path="/srv/../etc"), "stores[0].path"),
        (_changed(path="//srv"), "stores[0].path"),
        (_changed(level="秘密"), "stores[0].level"),
        (_changed(owner="' '"), "stores[0].owner"),
        (_changed(name="a, name: b"), "stands twice"),
        (_changed(name='"a\\nid"'), "stores[0].name"),
        (HEAD.replace("2026-11-01", "2026-02-30") + STORE, "reviewed"),
        (HEAD.replace("2026-11-01", "yesterday") + STORE, "reviewed"),
        (HEAD.replace("inventory:1", "inventory:2") + STORE, "schema"),
        (HEAD + STORE.replace("owner", "onwer"), "onwer"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        (HEAD + STORE.replace("level: 重要", "level: !!python/name:os.system"), "not YAML"),
    ],
)
def test_malformed_names_the_place(text: str, said: str) -> None:
    with pytest.raises(NotUnderstood) as problem:
        inventory(_facts(text))
    assert said in problem.value.why
    assert "\n" not in problem.value.why


def test_english_words_become_the_canonical_ones() -> None:
    found = inventory(_facts(_changed(level="core")))
    assert found is not None
    assert found.stores[0].level == "核心"
    assert found.stores[0].encryption_wanted


def test_sensitive_personal_is_personal_and_wants_encryption() -> None:
    found = inventory(
        _facts(_changed(level="一般, sensitive_personal: true, encryption: not_required"))
    )
    assert found is not None
    assert found.stores[0].personal
    assert found.stores[0].encryption_wanted


def test_only_stores_of_this_host_count() -> None:
    text = _changed(level="重要, hosts: [db01]")
    for host, count in (("db01", 1), ("db011", 0)):
        found = inventory(_facts(text, host))
        assert found is not None
        assert (len(found.stores), found.total) == (count, 1)


def test_the_pledge_record_wins_over_the_host() -> None:
    file = CapturedFile("/etc/hostpledge/data-inventory.yml", ReadStatus.OK, data=b"broken: [")
    reads = {"inventory.document": ReadResult("inventory.document", ReadStatus.OK, files=(file,))}
    capture = Capture("h", HostStatus.COMPLETE, reads=reads)
    found = inventory(Facts(capture, {"data-inventory": (HEAD + STORE).encode()}))
    assert found is not None
    assert found.attached
    with pytest.raises(NotUnderstood):
        inventory(Facts(capture))


def test_an_inventory_on_the_host_may_call_it_by_its_own_name() -> None:
    text = _changed(level="重要, hosts: [db01]").encode()
    file = CapturedFile("/etc/hostpledge/data-inventory.yml", ReadStatus.OK, data=text)
    reads = {"inventory.document": ReadResult("inventory.document", ReadStatus.OK, files=(file,))}
    for head, attached, count in (
        ({"hostname": "db01"}, {}, 1),
        ({"hostname": "db02"}, {}, 0),
        ({}, {}, 0),
        ({"hostname": "db01"}, {"data-inventory": text}, 0),
    ):
        capture = Capture("10.0.0.1", HostStatus.COMPLETE, head=head, reads=reads)
        found = inventory(Facts(capture, attached))
        assert found is not None
        assert len(found.stores) == count


PLACES = "dir\t-\t/srv/a\t/mnt/a\nabsent\t-\t/srv/b\t/srv/b\nfile\t---E---\t/srv/c d\t/srv/c d\n"
TREE = (
    "dir\t/\ndir\t/srv\ndir\t/srv/x\ndir\t/var\ndir\t/var/lib\ndir\t/var/lib/mysql\ndir\t/mnt\n"
    "dir\t/mnt/big\ndir\t/mnt/big/db\nlink\t/data\t/mnt/big\n"
)


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/srv/a", "/mnt/a"),
        ("/srv/b", None),
        ("/srv/c d", "/srv/c d"),
        ("/srv/x", "/srv/x"),
        ("/data/db", "/mnt/big/db"),
        ("/var/lib/mysql/shop", "/var/lib/mysql/shop"),
    ],
)
def test_place(path: str, real: str | None) -> None:
    found = place(_facts(None, places=PLACES, tree=TREE).capture, path)
    assert (found.real if found else None) == real


@pytest.mark.parametrize("path", ["/srv/y", "/nowhere", "/mnt/small/db"])
def test_what_was_not_listed_is_not_guessed(path: str) -> None:
    with pytest.raises(CouldNotLook):
        place(_facts(None, places=PLACES, tree=TREE).capture, path)


def test_links_that_lead_out_of_a_store() -> None:
    places = f"{PLACES}link\t-\t/mnt/a/t/1\t/mnt/b\nlink\t-\t/srv/c d/x\t/tmp\n"
    places += "link\t-\t/mnt/a/vendor\t/usr/share/php\n"
    tree = f"{TREE}link\t/mnt/a/up\t/opt\nlink\t/mnt/a/self\t/mnt/a/t\n"
    capture = _facts(None, places=places, tree=tree).capture
    assert links_in(capture, "/mnt/a") == {"/mnt/a/t/1": "/mnt/b", "/mnt/a/up": "/opt"}
    assert place(capture, "/srv/a") is not None


def test_more_links_than_were_looked_at() -> None:
    capture = _facts(None, places=f"{PLACES}more\t-\t/srv/a\t/mnt/a\n", tree=TREE).capture
    with pytest.raises(CouldNotLook):
        links_in(capture, "/mnt/a")
    assert links_in(capture, "/srv/c d") == {}
