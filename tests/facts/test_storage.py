"""Device chains of a real machine with LUKS, LVM, RAID and btrfs, and of older lsblk."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector import captures
from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.storage.block_devices import devices
from collector.facts.storage.mounts import mounts
from collector.facts.storage.volumes import space_of, spaces, storage
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

RECORDED = Path(__file__).parent.parent / "captures" / "luks-trixie.capture.gz"

# MULTIPATH as util-linux 2.3x lists it: a device under several paths, thin LVM on partitions of it
MULTIPATH = """\
NAME="sda" KNAME="sda" MAJ:MIN="8:0" TYPE="disk" FSTYPE="mpath_member" MOUNTPOINT="" PKNAME=""
NAME="mpatha" KNAME="dm-0" MAJ:MIN="253:0" TYPE="mpath" FSTYPE="" MOUNTPOINT="" PKNAME="sda"
NAME="mpatha4" KNAME="dm-4" MAJ:MIN="253:4" TYPE="part" FSTYPE="crypto_LUKS" PKNAME="dm-0"
NAME="sdb" KNAME="sdb" MAJ:MIN="8:16" TYPE="disk" FSTYPE="mpath_member" MOUNTPOINT="" PKNAME=""
NAME="mpatha" KNAME="dm-0" MAJ:MIN="253:0" TYPE="mpath" FSTYPE="" MOUNTPOINT="" PKNAME="sdb"
NAME="luks-x" KNAME="dm-5" MAJ:MIN="253:5" TYPE="crypt" FSTYPE="LVM2_member" PKNAME="dm-4"
NAME="vg-root" KNAME="dm-6" MAJ:MIN="253:6" TYPE="lvm" FSTYPE="xfs" MOUNTPOINT="/" PKNAME="dm-5"
"""


def _capture(mountinfo: str = "", lsblk: str | None = None, stack: str | None = None) -> Capture:
    file = CapturedFile("/proc/self/mountinfo", ReadStatus.OK, data=mountinfo.encode())
    reads = {
        "storage.mounts": ReadResult("storage.mounts", ReadStatus.OK, files=(file,)),
        "storage.zfs": ReadResult("storage.zfs", ReadStatus.MISSING),
    }
    for id, text in (("storage.block", lsblk), ("storage.stack", stack)):
        status = ReadStatus.MISSING if text is None else ReadStatus.OK
        reads[id] = ReadResult(id, status, stdout=(text or "").encode())
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def _recorded() -> Capture:
    return captures.load(RECORDED)


@pytest.mark.parametrize(
    ("path", "encrypted", "chain"),
    [
        ("/data/x", "yes", ["dm-0", "vda1", "vda"]),
        ("/lvm", "yes", ["dm-2", "dm-1", "vda2", "vda"]),
        ("/raid/a", "no", ["md0", "dm-3", "vdc", "vdb"]),
        ("/btr", "no", ["dm-4", "vdf", "vde"]),
        ("/nested", "yes", ["loop0"]),
        ("/plain", "no", ["vdd"]),
        ("/datax", "unknown", []),
    ],
)
def test_real_machine(path: str, encrypted: str, chain: list[str]) -> None:
    found = storage(_recorded())
    assert found.encryption(path).encrypted == encrypted
    assert [d.kname for d in found.device_chain(path)] == chain


def test_real_space() -> None:
    found = space_of(spaces(_recorded()), "/plain/a/b")
    assert found is not None
    assert (found.target, found.size) == ("/plain", 147909 * 1024)


def test_lsblk_alone_lists_a_device_once_for_each_parent() -> None:
    known = devices(_capture(lsblk=MULTIPATH))
    assert known["dm-0"].parents == ("sda", "sdb")
    root = "1 1 253:6 / / rw - xfs /dev/mapper/vg-root rw\n"
    assert storage(_capture(root, MULTIPATH)).encryption("/srv").encrypted == "yes"


def test_integrity_and_verity_are_no_encryption() -> None:
    stack = "device dm-0 253:0 uuid=CRYPT-INTEGRITY-a parent=-\nslave dm-0 sda\n"
    stack += "device sda 8:0 uuid=- parent=-\n"
    root = "1 1 253:0 / / rw - ext4 /dev/mapper/a rw\n"
    assert storage(_capture(root, stack=stack)).encryption("/").encrypted == "no"


def test_a_parent_that_is_not_seen_is_unknown() -> None:
    stack = "device dm-0 253:0 uuid=LVM-a parent=-\nslave dm-0 sda\n"
    root = "1 1 253:0 / / rw - ext4 /dev/mapper/a rw\n"
    assert storage(_capture(root, stack=stack)).encryption("/").encrypted == "unknown"


def test_the_latest_mount_at_a_place_holds_it() -> None:
    text = (
        "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /data\\040one rw - autofs systemd-1 rw\n"
        "3 1 0:50 / /data\\040one rw - fuse.gocryptfs /srv/cipher rw\n"
    )
    found = storage(_capture(text, 'NAME="sda1" KNAME="sda1" MAJ:MIN="8:1" TYPE="part"\n'))
    assert found.encryption("/data one/x").encrypted == "yes"
    assert found.encryption("/data").encrypted == "no"


def test_lsblk_2_37_writes_its_key_otherwise() -> None:
    known = devices(_capture(lsblk='NAME="sda" KNAME="sda" MAJ_MIN="8:0" TYPE="disk"\n'))
    assert known["sda"].number == "8:0"


def test_neither_lsblk_nor_sysfs() -> None:
    with pytest.raises(CouldNotLook):
        devices(_capture())


@pytest.mark.parametrize("line", ["1 1 8:1 / / rw", "nonsense", "1 1 81 / / rw - ext4 a rw"])
def test_not_mountinfo(line: str) -> None:
    with pytest.raises(NotUnderstood):
        mounts(_capture(line + "\n"))


def test_df_with_blanks_and_no_percentage() -> None:
    text = (
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
        "//nas/my share 100 40 60 40% /mnt/my share\n"
        "none 0 0 0 - /sys/x\n"
        "/dev/sda1 100 99 -3 104% /\n"
        "tracefs - - - - /sys/kernel/tracing\n"
    )
    result = ReadResult("storage.space", ReadStatus.EXIT, 1, stdout=text.encode())
    found = spaces(Capture("h", HostStatus.COMPLETE, reads={"storage.space": result}))
    assert [(s.target, s.available) for s in found] == [
        ("/mnt/my share", 60 * 1024),
        ("/sys/x", 0),
        ("/", -3 * 1024),
    ]


# data on LUKS (dm-0), a bare disk (vda) with the root, and folders of both mounted here and there
LAID = """\
20 1 254:0 / / rw - ext4 /dev/vda rw
21 20 0:5 / /proc rw - proc proc rw
30 20 253:0 / /data rw - ext4 /dev/mapper/data rw
31 30 254:0 /srv/x /data/in rw - ext4 /dev/vda rw
32 30 0:30 / /data/fast rw - tmpfs tmpfs rw
33 30 0:31 / /data/c/merged rw - overlay overlay rw,lowerdir=/l,upperdir=/data/c/up,workdir=/w
34 30 0:32 / /data/d/merged rw - overlay overlay rw,lowerdir=/l,upperdir=/other/up,workdir=/w
40 20 253:0 / /hid/a rw - ext4 /dev/mapper/data rw
41 20 254:0 /srv /hid rw - ext4 /dev/vda rw
50 20 254:1 / /boot rw - ext4 /dev/vda1 rw
"""
LAID_STACK = """\
device vda 254:0 uuid=- parent=-
device vdb 254:16 uuid=- parent=-
device dm-0 253:0 uuid=CRYPT-LUKS2-a-data parent=-
slave dm-0 vdb
"""


def test_a_mount_that_another_one_hides_holds_nothing() -> None:
    found = storage(_capture(LAID, stack=LAID_STACK))
    assert found.encryption("/hid/a").encrypted == "no"
    assert [p.mount.target for p in found.inside("/hid") if p.mount] == []


def test_what_is_mounted_below() -> None:
    found = storage(_capture(LAID, stack=LAID_STACK))
    said = {p.mount.target: p.encrypted for p in found.inside("/data") if p.mount}
    assert said == {"/data/in": "no", "/data/d/merged": "unknown"}
    assert [p.mount.target for p in found.inside("/") if p.mount and p.encrypted == "no"] == [
        "/data/in",
        "/hid",
    ]


@pytest.mark.parametrize(
    ("table", "encrypted"),
    [
        ("crypt aes-xts-plain64", "yes"),
        ("crypt capi:xts(aes)-plain64", "yes"),
        ("crypt cipher_null-ecb", "no"),
        ("crypt capi:ecb(cipher_null)-null", "no"),
        ("linear -", "no"),
        ("crypt aes-xts-plain64\ntable dm-0 linear -", "no"),
    ],
)
def test_the_table_of_a_crypt_device(table: str, encrypted: str) -> None:
    """The first as `dmsetup table` of real LUKS2 has them, cipher_null and reencryption too."""
    found = storage(_capture(LAID, stack=f"{LAID_STACK}table dm-0 {table}\n"))
    assert found.encryption("/data").encrypted == encrypted
