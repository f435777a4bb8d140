"""An important database, backed up every night to another host; then what goes wrong, one by one.

Real hosts, PostgreSQL, cron, restic and a repository server that only lets add. What is asserted
is the whole set of controls, of all families, whose verdict changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.fleet import Fleet
from tests.fleet.machine import why_not
from tests.story.story import JOB, OWNER, Look, Story

pytestmark = pytest.mark.fleet

STORE = "/var/lib/postgresql/17/main"
DUMPS, REPORTS = "/var/backups/shop", "/var/lib/hostpledge/backup"
PASSES = (
    "classification.inventory",
    "classification.discovered",
    "classification.exposed_files",
    "backup.jobs",
    "backup.fresh",
    "backup.verified",
    "backup.versions",
    "backup.offsite",
    "backup.restore_test",
    "encryption.backups",
    "encryption.storage",
    "encryption.database_access",
)
FAILS = ("pass", "fail")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("story")
    with Fleet(["shop", "vault"], folder=folder, prefix=f"story-{os.getpid()}") as fleet:
        yield Story(fleet, folder).begin()


@pytest.fixture(scope="module")
def begun(story: Story) -> Look:
    """The host before anybody wrote an inventory."""
    return story.look()


@pytest.fixture(scope="module")
def good(story: Story, begun: Look) -> Look:
    """All is well: the inventory that `hostpledge inventory init` began is filled in and signed."""
    story.sign(story.filled_in(begun))
    return story.look()


def test_without_an_inventory_nothing_of_the_data_passes(begun: Look) -> None:
    resting = {id: v for id, v in begun.verdicts.items() if id in begun.resting}
    assert resting
    assert set(resting.values()) == {"notchecked"}
    assert begun.verdicts["classification.inventory"] == "fail"
    assert "hostpledge inventory init" in begun.said("classification.inventory")


def test_a_host_that_is_backed_up_passes(good: Look) -> None:
    found = {id: good.verdicts[id] for id in PASSES}
    said = {id: good.said(id) for id, verdict in found.items() if verdict != "pass"}
    assert said == {}


def test_the_owner_compares_the_inventory_with_the_host(story: Story, good: Look) -> None:
    assert story.checked(good) == (0, "all is well, stores: 1")


def test_the_inventory_signed_by_its_owner_and_then_altered(story: Story, good: Look) -> None:
    """重要 becomes 一般 on the host, by somebody who has no key of the owner."""
    place = "/etc/hostpledge/data-inventory.yml"
    with story.changed(
        f"cp -p {place} /root/kept && sed -i 's/重要/一般/' {place}", f"mv /root/kept {place}"
    ):
        look = story.look()
    errors = dict.fromkeys(look.resting, ("pass", "error"))
    assert look.changes(good) == {**errors, "classification.inventory": FAILS}
    assert "not what its owner signed" in look.said("backup.jobs")
    assert "与责任人的签名不符" in look.said_zh("backup.jobs")
    assert f"not what its owner {OWNER} signed" in look.said("classification.inventory")


def test_the_job_fails_for_three_days_and_nobody_hears_of_it(story: Story, good: Look) -> None:
    """The login of the repository was changed: the script ends at its first line, and cron's mail
    goes nowhere. What the last three nights had left was never made."""
    change = f"""mv /etc/restic/login /root/login
    ! $(sed -n 's/^30 2 \\* \\* \\* root //p' /etc/cron.d/backup-shop) 2>/dev/null
    mkdir /root/kept
    for night in 0 1 2; do
      day=$(date -d "-$night days" +%F)
      mv {DUMPS}/shop-$day.dump {REPORTS}/shop-$day.json /root/kept
    done"""
    back = f"""mv /root/login /etc/restic/login
    mv /root/kept/*.dump {DUMPS}; mv /root/kept/*.json {REPORTS}; rmdir /root/kept"""
    with story.changed(change, back):
        look = story.look()
    assert look.changes(good) == {"backup.fresh": FAILS, "backup.offsite": FAILS}
    assert "last good transfer to elsewhere is more than 24 hours ago" in look.said(
        "backup.offsite"
    )
    said, zh = look.said("backup.fresh"), look.said_zh("backup.fresh")
    assert "the last good backup is too old: shop" in said
    assert "h ago, at most 24 h allowed" in said
    assert "/etc/cron.d/backup-shop" in said
    assert "已过期" in zh
    assert "上限 24 小时" in zh


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('pg_dump -Fc shop | cat >"$dump"', "is empty or not there"),
        ('pg_dump -Fc shop | gzip >"$dump"', "far smaller than usual"),
    ],
    ids=["plain", "packed"],
)
def test_the_dump_is_empty_while_the_job_ends_well(
    story: Story, good: Look, command: str, said: str
) -> None:
    """pg_dump may not log in any more; the pipe ends well all the same, and so does the night."""
    change = f"""mkdir /root/kept; cp -p {JOB} /root/job
    mv {DUMPS}/shop-$(date +%F).dump {REPORTS}/shop-$(date +%F).json /root/kept
    sed -i 's/pg_dump -Fc shop >"$dump"/{command}/' {JOB}
    sed -i '1i local all all reject' /etc/postgresql/17/main/pg_hba.conf
    systemctl reload postgresql@17-main
    {JOB}"""
    back = f"""mv /root/job {JOB}; rm -f {DUMPS}/shop-$(date +%F).dump
    mv /root/kept/*.dump {DUMPS}; mv /root/kept/*.json {REPORTS}; rmdir /root/kept
    sed -i 1d /etc/postgresql/17/main/pg_hba.conf; systemctl reload postgresql@17-main"""
    with story.changed(change, back):
        look = story.look()
    assert look.changes(good) == {"backup.fresh": FAILS}
    assert said in look.said("backup.fresh")
    assert "h ago, at most 24 h allowed" in look.said("backup.fresh")
    assert "/etc/cron.d/backup-shop" in look.said("backup.fresh")


def test_the_database_moves_to_where_no_backup_looks(story: Story, good: Look) -> None:
    """Its files are backed up as they are; then they are copied elsewhere, and the old ones, which
    nobody writes any more, are backed up well every night."""
    cold = f"""cp -p {JOB} /root/job; cat >{JOB} <<'T'\n{story.text("backup-cold")}T
    mkdir /root/kept; cp -p {REPORTS}/* /root/kept
    sed -i 's#"shop"#"{STORE}"#' {REPORTS}/*.json
    {JOB}"""
    move = """systemctl stop postgresql@17-main
    mkdir -p /srv/pg && cp -a /var/lib/postgresql/17/main /srv/pg/main
    sed -i "s#^data_directory.*#data_directory = '/srv/pg/main'#" \
      /etc/postgresql/17/main/postgresql.conf
    systemctl start postgresql@17-main"""
    back = f"""systemctl stop postgresql@17-main; rm -rf /srv/pg
    sed -i "s#^data_directory.*#data_directory = '{STORE}'#" \
      /etc/postgresql/17/main/postgresql.conf
    systemctl start postgresql@17-main
    mv /root/job {JOB}; rm -f {REPORTS}/*; mv /root/kept/* {REPORTS}; rmdir /root/kept"""
    with story.changed(cold, back):
        assert story.look().changes(good) == {}, "a copy of the files is a backup, too"
        story.sh(move)
        unlisted = story.look()
        inventory, compared = story.inventory, story.checked(unlisted)
        story.sign(story.moved("/srv/pg/main"))
        listed = story.look()
        story.sign(inventory)
    assert unlisted.changes(good) == {"classification.discovered": FAILS}
    assert "found but not listed: postgresql /srv/pg/main" in unlisted.said(
        "classification.discovered"
    )
    assert compared == (1, "- shop: found but not listed: postgresql /srv/pg/main")
    assert listed.changes(good) == {
        "backup.jobs": FAILS,
        "backup.fresh": FAILS,
        "backup.verified": FAILS,
        "backup.versions": FAILS,
        "backup.offsite": FAILS,
        "encryption.backups": ("pass", "notapplicable"),
    }
    for control in ("jobs", "fresh", "verified", "versions", "offsite"):
        assert "shop (/srv/pg/main)" in listed.said(f"backup.{control}")
    assert "no backup job takes: shop (/srv/pg/main)" in listed.said("backup.jobs")
    assert "没有备份任务的重要数据：shop (/srv/pg/main)" in listed.said_zh("backup.jobs")


def test_the_repository_is_on_the_disk_of_the_data(story: Story, good: Look) -> None:
    """It was fetched from the other host, and the job writes to it from now on."""
    packed = story.sh("tar -C /srv/restic/repositories -cf - shop | base64", host="vault")
    story.put("/root/repository", packed.encode())
    change = f"""cp -p {JOB} /root/job; cp -p {REPORTS}/shop-$(date +%F).json /root/kept
    mkdir -m 700 /srv/restic; base64 -d /root/repository | tar -C /srv/restic -xf -
    chown -R root:root /srv/restic; rm /root/repository
    sed -i 's#RESTIC_REPOSITORY=[^ ]*#RESTIC_REPOSITORY=/srv/restic/shop#
      s/append_only=true/append_only=false/' {JOB}
    {JOB}"""
    back = f"""mv /root/job {JOB}; rm -r /srv/restic
    mv /root/kept {REPORTS}/shop-$(date +%F).json"""
    with story.changed(change, back):
        look = story.look()
    assert look.changes(good) == {"backup.offsite": FAILS, "backup.versions": ("pass", "partial")}
    said = look.said("backup.offsite")
    assert "on the very disk of the data" in said
    assert "/srv/restic/shop" in said
    assert "write them to another host" in said
    assert "none is seen that cannot be changed or deleted" in look.said("backup.versions")


def test_everybody_on_the_host_may_read_the_key(story: Story, good: Look) -> None:
    with story.changed(
        "chmod 644 /etc/restic/password; chmod 755 /etc/restic",
        "chmod 600 /etc/restic/password; chmod 700 /etc/restic",
    ):
        look = story.look()
    assert look.changes(good) == {"encryption.backups": FAILS}
    said = look.said("encryption.backups")
    assert "/etc/restic/password" in said
    assert "chmod 600" in said
    assert "他人可读" in look.said_zh("encryption.backups")


def test_the_last_restore_was_seven_months_ago(story: Story, good: Look) -> None:
    place = "/var/lib/hostpledge/restore/shop.json"
    change = f"""cp -p {place} /root/kept
    sed -i "s/\\"tested\\": \\"[^T]*T/\\"tested\\": \\"$(date -u -d '-7 months' +%F)T/" {place}"""
    with story.changed(change, f"mv /root/kept {place}"):
        look = story.look()
    assert look.changes(good) == {"backup.restore_test": FAILS}
    said = look.said("backup.restore_test")
    assert "more than 6 months old" in said
    assert "shop" in said
    assert "李运维" in said
    assert "超过 6 个月" in look.said_zh("backup.restore_test")


def test_all_is_well_again(story: Story, good: Look) -> None:
    """What was done to the host was undone: none of the findings above hid another one."""
    assert story.look().changes(good) == {}


def test_the_same_capture_on_later_days_and_at_grade_3(good: Look) -> None:
    """What holds for a time only; and at grade 3 a nightly copy elsewhere is not enough."""
    old = {"backup.fresh": FAILS, "backup.offsite": FAILS}
    assert good.data(good.at(later=timedelta(days=2)).changes(good)) == old
    half_a_year = good.at(later=timedelta(days=190)).changes(good)
    assert half_a_year["backup.restore_test"] == FAILS
    year = good.at(later=timedelta(days=370)).changes(good)
    assert year["classification.inventory"] == FAILS
    assert year["encryption.storage"] == ("pass", "error"), "nobody answers for it any more"
    assert "pass" not in {after for _, after in good.data(year).values()}
    grade_3 = good.at(grade=3)
    assert good.data(grade_3.changes(good)) == {"backup.offsite": FAILS}
    assert "grade 3 wants it in real time" in grade_3.said("backup.offsite")
