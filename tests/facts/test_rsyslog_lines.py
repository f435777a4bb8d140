"""Lines that go on, commas between selectors, and what stands where a word was masked."""

from __future__ import annotations

import pytest

from collector.facts.logs.model.syslog_message import Message
from collector.facts.logs.syslog.rsyslog.conditions import expression
from collector.facts.logs.syslog.rsyslog.parser import statements


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("auth.*;\\\n\tauthpriv.*\t~\n", "auth.*;authpriv.*"),
        ("*.info;\\\n    mail.none;authpriv.none /var/log/m\n", "*.info;mail.none;authpriv.none"),
        ("local0,local1,\\\n\tlocal2.* /var/log/x\n", "local0,local1,local2.*"),
        ("auth.*,user.* /var/log/messages\n", "auth.*;user.*"),
        ("auth,authpriv.=info,cron.!=err /var/log/m\n", "auth,authpriv.=info;cron.!=err"),
    ],
)
def test_selectors_as_rsyslogd_reads_them(text: str, selector: str) -> None:
    """It puts nothing between the lines (readConfFile), and takes a comma for a semicolon."""
    (one,) = statements(text, "x")
    assert one.test == ("selector", selector)


def test_a_password_that_was_masked_leaves_the_action_readable() -> None:
    text = '*.* action(type="ompgsql" server="10.20.0.9" user="u" pass=redacted)\n'
    (one,) = statements(text, "x")
    (action,) = one.body
    assert (action.parameters["type"], action.parameters["pass"]) == ("ompgsql", "redacted")


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ('prifilt("auth,authpriv.*")', True),
        ('prifilt("cron.*")', False),
        # a word in the place of what did not leave the host
        ('prifilt("redacted")', None),
        ('not prifilt("redacted")', None),
    ],
)
def test_whom_a_masked_filter_selects_nobody_knows(text: str, selected: bool | None) -> None:
    message = Message("authpriv", 6, "sshd", "Accepted publickey for wang")
    assert expression(text, message, {}) is selected
