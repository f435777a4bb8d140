"""The forms in which backup tools name where their copies go."""

from __future__ import annotations

import pytest

from collector.facts.backup.commands.addresses import address_of, same_target


@pytest.mark.parametrize(
    ("text", "kind", "host", "path"),
    [
        ("/srv/backup/restic", "path", "", "/srv/backup/restic"),
        ("/b/shop-$_.sql.gz", "path", "", "/b"),
        ("/b/*.gz", "path", "", "/b"),
        ("file:///srv/b", "path", "", "/srv/b"),
        ("local:/srv/b", "path", "", "/srv/b"),
        ("~/b", "path", "", "/root/b"),
        ("bak@nas:/v/", "host", "nas", "/v/"),
        ("nas::module/x", "host", "nas", "module/x"),
        ("[fd00::1]:/v", "host", "fd00::1", "/v"),
        ("rsync://bak@NAS:873/v", "host", "nas", "/v"),
        ("ssh://bak@nas:2222/./repo", "host", "nas", "/./repo"),
        ("sftp:bak@nas:/srv/r", "host", "nas", "/srv/r"),
        ("sftp://bak@nas//srv/r", "host", "nas", "//srv/r"),
        ("rest:https://u:***@nas:8000/r/", "host", "nas", "/r/"),
        ("s3:https://minio.example:9000/b", "host", "minio.example", "/b"),
        ("s3:s3.cn-north-1.amazonaws.com.cn/b", "host", "s3.cn-north-1.amazonaws.com.cn", "/b"),
        ("s3:localhost:9000/b", "host", "localhost", "/b"),
        ("b2:bucket:path", "service", "bucket", "path"),
        ("azure:container:/", "service", "container", "/"),
        ("gs:bucket:/", "service", "bucket", "/"),
        ("oss://bucket/x", "service", "oss://bucket", "x"),
        ("rclone:far:x/y", "remote", "far", "x/y"),
        ("$_", "unknown", "", ""),
        ("bak@$_:/v", "unknown", "", ""),
        ("$_/x", "unknown", "", ""),
        ("relative", "unknown", "", ""),
        ("", "unknown", "", ""),
        ("gopher://x/y", "unknown", "", ""),
    ],
)
def test_forms(text: str, kind: str, host: str, path: str) -> None:
    found = address_of(text)
    assert (found.kind, found.host, found.path) == (kind, host, path)


def test_relative_to_a_folder() -> None:
    assert address_of("x.tgz", "/b").path == "/b/x.tgz"
    assert address_of("./x.tgz", "/b/").path == "/b/x.tgz"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("bak@nas:repo", "ssh://bak@nas/./repo", True),
        ("sftp:bak@nas:/r", "sftp:nas:/r/", True),
        ("bak@nas:/r", "bak@nas:/rest", False),
        ("bak@nas:/r", "bak@vault:/r", False),
        ("/srv/b", "/srv/b/x", True),
        ("$_", "$_", False),
    ],
)
def test_same_place(one: str, other: str, same: bool) -> None:
    assert same_target(address_of(one), address_of(other)) is same
