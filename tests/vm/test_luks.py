"""Encryption at rest on real LUKS, LVM, fscrypt and gocryptfs, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.model import Capture, Result
from tests.vm.guest import collected, judged
from tests.vm.machine import Machine

pytestmark = pytest.mark.vm

DISKS = (512,)
STORAGE = "encryption.storage"
RESIDUAL = "encryption.residual"
HEAD = (
    "schema: urn:hostpledge:schema:data-inventory:1\nowner: 张三\nreviewed: 2026-11-01\nstores:\n"
)

# a path with the verdict on it and a word of what is said
PATHS = {
    "/srv/two/data": (Result.PASS, "encrypted", "LUKS2"),
    "/srv/one": (Result.PASS, "encrypted", "LUKS1"),
    "/srv/onlv": (Result.PASS, "encrypted", "LUKS2"),
    "/srv/plain/secret": (Result.PASS, "encrypted", "fscrypt"),
    "/srv/plain/secret/db": (Result.PASS, "encrypted", "fscrypt"),
    "/srv/go": (Result.PASS, "encrypted", "fuse.gocryptfs"),
    "/srv/plain/link": (Result.PASS, "encrypted", "LUKS2"),
    "/srv/plain/bound": (Result.PASS, "encrypted", "LUKS2"),
    "/srv/two/within": (Result.PASS, "encrypted", "LUKS2"),
    "/srv/plain/data": (Result.FAIL, "plain", "vdb4"),
    "/srv/bare": (Result.FAIL, "plain", "vdb3"),
    "/srv/two/bound": (Result.FAIL, "plain", "vdb4"),
    "/srv/two/link": (Result.FAIL, "plain", "vdb4"),
    "/srv/two/inner": (Result.FAIL, "plain", "/srv/two/inner/db: vdb4"),
    "/srv/two/tables": (Result.FAIL, "plain", "pg_tblspc/16384 → /srv/plain/data"),
    "/srv/hidden/data": (Result.FAIL, "plain", "vdb4"),
    "/srv/closed": (Result.FAIL, "plain", "vda"),
    "/srv/null": (Result.FAIL, "plain", "vdb8"),
    "/srv/half": (Result.FAIL, "plain", "vdb9"),
    "/srv/closed/db": (Result.ERROR, "unseen", "/srv/closed/db): -"),
}


def _stores(*paths: str) -> str:
    rest = "category: 客户资料, level: 重要, owner: 李四"
    lines = [f"- {{name: a{n}, kind: path, path: {p}, {rest}}}\n" for n, p in enumerate(paths)]
    return HEAD + "".join(lines)


@pytest.fixture(scope="module")
def laid_out(machine: Machine) -> Machine:
    machine.shell((Path(__file__).parent / "luks.sh").read_text(), seconds=600)
    machine.shell(
        "mkdir /etc/hostpledge\n"
        f"cat >/etc/hostpledge/data-inventory.yml <<'E'\n{_stores(*PATHS)}E\n"
    )
    return machine


@pytest.fixture(scope="module")
def capture(laid_out: Machine) -> Capture:
    laid_out.shell(
        "sysctl -q kernel.core_pattern='|/bin/false'\n"
        "swapon /dev/mapper/random; swapon /dev/vg1/swap"
    )
    return collected(laid_out, STORAGE, RESIDUAL)


@pytest.mark.parametrize("path", PATHS)
def test_a_path(capture: Capture, path: str) -> None:
    result, reason, said = PATHS[path]
    document = {"data-inventory": _stores(path).encode()}
    found = judged(capture, STORAGE, attached=document)
    assert (found.result, found.reason) == (result, reason), found.message.en
    assert said in found.message.en


def test_swap_with_a_random_key_and_on_luks(capture: Capture) -> None:
    found = judged(capture, RESIDUAL)
    assert (found.result, found.reason) == (Result.PASS, "nothing_left"), found.message.en
    assert "PLAIN" in found.message.en
    assert "LUKS1" in found.message.en


SWAPS = {
    "a partition": ("swapon /dev/vdb6", "swapoff /dev/vdb6", Result.FAIL),
    "a file on a bare disk": (
        "fallocate -l 4M /srv/plain/swap; chmod 600 /srv/plain/swap; mkswap -q /srv/plain/swap; "
        "swapon /srv/plain/swap",
        "swapoff /srv/plain/swap",
        Result.FAIL,
    ),
    "a file on LUKS": (
        "fallocate -l 4M /srv/two/swap; chmod 600 /srv/two/swap; mkswap -q /srv/two/swap; "
        "swapon /srv/two/swap",
        "swapoff /srv/two/swap",
        Result.PASS,
    ),
    "null": (
        "umount /srv/null; mkswap -q /dev/mapper/null; swapon /dev/mapper/null",
        "swapoff /dev/mapper/null",
        Result.FAIL,
    ),
}


@pytest.mark.parametrize("name", SWAPS)
def test_more_swap(laid_out: Machine, capture: Capture, name: str) -> None:
    before, after, result = SWAPS[name]
    laid_out.shell(before)
    found = judged(collected(laid_out, RESIDUAL), RESIDUAL)
    laid_out.shell(after)
    assert found.result is result, found.message.en


def test_as_a_host_comes_systemd_itself_may_dump(laid_out: Machine, capture: Capture) -> None:
    laid_out.shell("sysctl -q kernel.core_pattern=core; grep core /proc/1/limits | grep unlimited")
    found = judged(collected(laid_out, RESIDUAL), RESIDUAL)
    laid_out.shell("sysctl -q kernel.core_pattern='|/bin/false'")
    assert (found.result, found.reason) == (Result.FAIL, "dumps_kept"), found.message.en
    assert "comm=systemd" in found.message.en


DUMPS = {"/srv/two": Result.PASS, "/srv/plain": Result.FAIL}


@pytest.mark.parametrize("folder", DUMPS)
def test_core_dumps(laid_out: Machine, capture: Capture, folder: str) -> None:
    """A program that may dump, and did: where its core lies is what is judged."""
    laid_out.shell(
        f"sysctl -q kernel.core_pattern={folder}/core\n"
        "systemd-run -q --unit=dumper -p LimitCORE=infinity sleep 600\n"
        "sh -c 'ulimit -c unlimited; kill -SEGV $$' || true\n"
        f"ls {folder}/core* >/dev/null"
    )
    found = judged(collected(laid_out, RESIDUAL), RESIDUAL)
    laid_out.shell("systemctl stop dumper; sysctl -q kernel.core_pattern='|/bin/false'")
    assert found.result is DUMPS[folder], found.message.en
