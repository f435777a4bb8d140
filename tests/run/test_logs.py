"""What the role `logging` is told of a host before it changes anything, from recorded captures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from collector import captures
from collector.model import Capture, CapturedFile, ReadStatus
from collector.run.probes.logging import reads, told

RECORDED = Path(__file__).parent.parent / "captures"
GIVEN = {"days": 184, "grade": 2, "file_size": 50, "leave": []}


def _capture() -> Capture:
    """Debian 13 in a container, with settings of its owner's, after the role."""
    return captures.load(RECORDED / "role-logging-trixie.capture.gz")


def _with(capture: Capture, read: str, path: str, text: str) -> Capture:
    """One more file, or another text of one that is there."""
    result = capture.read(read)
    kept = tuple(f for f in result.files if f.path != path)
    file = CapturedFile(path, ReadStatus.OK, 0o644, 0, 0, data=text.encode())
    changed = replace(result, files=(*kept, file))
    return replace(capture, reads={**capture.reads, read: changed})


def test_of_a_hardened_host_nothing_is_left_to_change() -> None:
    found = told(_capture(), GIVEN)
    assert found["store"] == "rsyslog" and found["container"]
    assert found["rotation"]["installed"] and found["rotation"]["runner"]
    assert found["rotation"]["files"] == [] and found["modes"] == []
    assert found["audit"]["wanted"] == {}


def test_a_rule_that_falls_short_is_made_longer() -> None:
    capture = _capture()
    path = "/etc/logrotate.d/own"
    text = "/var/log/own.log {\n  weekly\n  rotate 4\n}\n"
    found = told(_with(capture, "logrotate.config", path, text), GIVEN)["rotation"]["files"]
    own = next(f for f in found if f["path"] == path)
    assert own["mode"] == "0644" and own["changes"] == ["/var/log/own.log: rotate 4 → 27"]
    left = GIVEN | {"leave": [path]}
    files = told(_with(capture, "logrotate.config", path, text), left)["rotation"]["files"]
    assert path not in {f["path"] for f in files}


def test_what_the_role_wrote_itself_changes_nothing_of_what_it_is_told() -> None:
    """Else the second run would take back what the first one did."""
    folder = "/etc/systemd/journald.conf.d"
    capture = _with(
        _capture(),
        "journald.config",
        f"{folder}/50-own.conf",
        "[Journal]\nMaxRetentionSec=7day\nSystemMaxFiles=2\n",
    )
    before = told(capture, GIVEN)["journal"]
    assert before["short"] and before["files_short"] and not before["rate"]
    for name, text in (
        ("zz-hostpledge", "MaxRetentionSec=216day\nSystemMaxFiles=0"),
        ("10-hostpledge-rate", "RateLimitBurst=50000"),
    ):
        capture = _with(capture, "journald.config", f"{folder}/{name}.conf", f"[Journal]\n{text}\n")
    assert told(capture, GIVEN)["journal"] == before


def test_auditd_only_what_falls_short() -> None:
    text = """
        max_log_file = 200
        max_log_file_action = ROTATE
        num_logs = 5
        space_left_action = email
        admin_space_left_action = halt
        disk_full_action = ignore
        """
    capture = _with(_capture(), "audit.config", "/etc/audit/auditd.conf", text)
    wanted = told(capture, GIVEN)["audit"]["wanted"]
    assert wanted == {"max_log_file_action": "keep_logs", "disk_full_action": "SYSLOG"}


def test_a_log_that_anybody_may_write_is_narrowed_and_one_of_a_person_left_to_root() -> None:
    capture = _capture()
    result = capture.read("log_guard.modes")
    line = b"-rw-rw-rw- 666 1000 1000 /var/log/auth.log.1\n== attributes\n"
    changed = replace(result, stdout=result.stdout.replace(b"== attributes\n", line))
    capture = replace(capture, reads={**capture.reads, "log_guard.modes": changed})
    wanted = [{"path": "/var/log/auth.log.1", "most": "0640", "owner": "root"}]
    assert told(capture, GIVEN)["modes"] == wanted


def test_of_logrotate_nothing_is_masked() -> None:
    """What is read is written again: a masked password would be written too."""
    assert all(not read.redact for read in reads() if read.id == "logrotate.config")
