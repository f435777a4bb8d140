"""`hostpledge serve account`: who may look at the register in a browser."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.serve.installed import installed
from collector.cli.options.answering import answer, answering
from collector.cli.options.common import form_option
from collector.cli.options.paths import Named
from collector.cli.ui.columns import out
from collector.cli.ui.grid import Grid
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, CollectorError
from collector.export.envelope import as_json
from collector.i18n.message import msg
from collector.model import Text
from collector.pledges.record.times import CHINA

if TYPE_CHECKING:
    from collector.web.keeping.accounts import Account, Accounts, Role

_ROLES = ("manager", "engineer", "auditor", "customer")
ROLES: Mapping[str, Text] = {
    "manager": Text("管理", "manager"),
    "engineer": Text("工程师", "engineer"),
    "auditor": Text("审计", "auditor"),
    "customer": Text("用户", "customer"),
}
_WIDTH = 120


def state_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --state: where the page keeps its own."""
    return click.option(
        "--state",
        type=Named(),
        metavar="DIR|URL",
        help=tr(
            "账号、会话、访问日志所在的目录或 PostgreSQL（默认在用户数据目录中）",
            "a folder, or a PostgreSQL database, for accounts, sessions and the log of access "
            "(default: in the user's data folder)",
        ),
    )(command)


@click.group(help=tr("谁可以查看：账号", "who may look: accounts"))
def account() -> None:
    """Each in its own command."""


def _accounts(state: str | None) -> Accounts:
    installed()
    from collector.web.keeping.accounts import Accounts
    from collector.web.keeping.state import State

    return Accounts(State.open(state))


@account.command(
    "add",
    help=tr(
        "新建账号，并打印其一次性口令。auditor 与 customer 只见 --pledge 所列登记。",
        "Adds an account and prints its one-time password. An auditor and a customer see what "
        "--pledge names alone.",
    ),
)
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, help=tr("角色", "its role"))
@click.option(
    "--pledge",
    "pledges",
    multiple=True,
    metavar="ID",
    help=tr("可见的登记；可多次给出", "a pledge it may see; may be repeated"),
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help=tr("最后一天", "the last day of its use"),
)
@click.option(
    "--elsewhere",
    is_flag=True,
    help=tr("由代理认证，没有口令", "signs in at the proxy, and has no password"),
)
@state_option
@lang_option
@answering("serve-account")
def add(
    *,
    name: str,
    role: Role,
    pledges: tuple[str, ...],
    until: datetime | None,
    elsewhere: bool,
    state: str | None,
) -> int:
    known = _accounts(state)
    from collector.web.keeping.changes import given

    ends: date | None = until.date() if until else None
    password = None if elsewhere else secrets.token_urlsafe(12)
    known.add(given(name, role, pledges, ends, local=not elsewhere), password, by=_operator())
    _say_unknown(pledges)
    if password is not None:
        _say(name, password)
    answer(account=name, password=password)
    return 0


@account.command("list", help=tr("列出账号", "lists them"))
@form_option("table", "json")
@state_option
@lang_option
def list_(*, state: str | None, form: str) -> int:
    accounts, now = _accounts(state), datetime.now(UTC)
    every, marks = accounts.every(), accounts.marks()
    if form == "json":
        found = [
            {
                "account": one.name,
                "role": one.role,
                "pledges": None if one.pledges is None else sorted(one.pledges),
                "until": one.ends.isoformat() if one.ends else None,
                "disabled": one.disabled,
                "over": not one.disabled and not one.holds(now),
                "password": one.local,
                **_json_of(marks.get(one.name, {})),
            }
            for one in every
        ]
        out(as_json("serve-accounts", {"accounts": found}))
        return 0
    grid = Grid(
        tr("账号", "account"),
        tr("角色", "role"),
        tr("登记", "pledges"),
        tr("至", "until"),
        tr("状态", "state"),
        tr("添加", "added"),
        tr("最近登录", "signed in"),
    )
    for one in every:
        state_of = (
            tr("已停用", "stopped")
            if one.disabled
            else tr("有效", "in use")
            if one.holds(now)
            else tr("已到期", "over")
        )
        known = marks.get(one.name, {})
        added, by = known.get("added", (None, ""))
        last = known["signed_in"][0] if "signed_in" in known else None
        grid.add_row(
            one.name,
            ROLES[one.role].to(lang()),
            _seen(one),
            one.ends.isoformat() if one.ends else "-",
            state_of,
            f"{_day(added)} {by}".rstrip(),
            _day(last),
        )
    out(grid.drawn(_WIDTH))
    return 0


@account.command(
    help=tr(
        "改变账号的角色、可见登记或最后一天；未给出的不变，其会话立即结束。",
        "Changes an account's role, pledges or last day. What is not given stays; its sessions "
        "end at once.",
    ),
)
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), help=tr("角色", "its role"))
@click.option(
    "--pledge",
    "pledges",
    multiple=True,
    metavar="ID",
    help=tr("可见的登记，取代原有的；可多次给出", "a pledge it may see, instead; may be repeated"),
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help=tr("最后一天", "the last day of its use"),
)
@click.option(
    "--elsewhere",
    is_flag=True,
    help=tr("改由代理认证，去掉口令", "signs in at the proxy from now on, and has no password"),
)
@click.option(
    "--here",
    is_flag=True,
    help=tr(
        "改由此处认证：给一个一次性口令，并打印",
        "signs in here again, with a one-time password, which is printed",
    ),
)
@click.option("--no-until", "endless", is_flag=True, help=tr("去掉最后一天", "has no last day"))
@state_option
@lang_option
@answering("serve-account")
def change(
    *,
    name: str,
    role: Role | None,
    pledges: tuple[str, ...],
    until: datetime | None,
    elsewhere: bool,
    here: bool,
    endless: bool,
    state: str | None,
) -> int:
    if (elsewhere and here) or (until is not None and endless):
        raise click.UsageError(
            tr(
                "--elsewhere 与 --here、--until 与 --no-until 只能各用其一",
                "give one of --elsewhere and --here, and of --until and --no-until",
            )
        )
    installed()
    from collector.web.keeping.changes import change as changed
    from collector.web.keeping.state import State

    if role is None and not (pledges or until or elsewhere or here or endless):
        raise BadInput(msg("web_change_nothing"), where=name)
    ends = until.date() if until else None
    made = secrets.token_urlsafe(12) if here else None
    one = changed(
        State.open(state),
        name,
        role=role,
        pledges=pledges,
        ends=ends,
        endless=endless,
        elsewhere=elsewhere,
        password=made,
        by=_operator(),
    )
    _say_unknown(pledges)
    last = one.ends.isoformat() if one.ends else "-"
    out(f"{one.name}: {ROLES[one.role].to(lang())}, {_seen(one)}, {last}\n")
    if made is not None:
        _say(one.name, made)
    answer(
        account=one.name,
        password=made,
        role=one.role,
        pledges=None if one.pledges is None else sorted(one.pledges),
        until=one.ends.isoformat() if one.ends else None,
    )
    return 0


@account.command(help=tr("停用账号，其会话立即结束", "stops one; its sessions end at once"))
@click.argument("name")
@click.option("--back", is_flag=True, help=tr("恢复", "lets it in again"))
@state_option
@lang_option
@answering("serve-account")
def disable(*, name: str, back: bool, state: str | None) -> int:
    _accounts(state).disable(name, back=back)
    said = tr("可再登录", "may sign in again") if back else tr("已停用", "stopped")
    out(f"{name}: {said}\n")
    answer(account=name, disabled=not back)
    return 0


@account.command(
    help=tr("给账号一个新的一次性口令，并打印", "gives one a new one-time password, and prints it"),
)
@click.argument("name")
@state_option
@lang_option
@answering("serve-account")
def password(*, name: str, state: str | None) -> int:
    made = secrets.token_urlsafe(12)
    _accounts(state).change_password(name, made, must_change=True)
    _say(name, made)
    answer(account=name, password=made)
    return 0


def _seen(one: Account) -> str:
    return tr("全部", "all") if one.pledges is None else " ".join(sorted(one.pledges))


def _day(at: datetime | None) -> str:
    return at.astimezone(CHINA).date().isoformat() if at else "-"


def _json_of(known: Mapping[str, tuple[datetime, str]]) -> dict[str, Any]:
    added, by = known.get("added", (None, ""))
    last = known["signed_in"][0] if "signed_in" in known else None
    return {
        "added_at": added.isoformat() if added else None,
        "added_by": by or None,
        "signed_in_at": last.isoformat() if last else None,
    }


def _operator() -> str:
    """Who works here, by the system's own name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _say_unknown(pledges: Sequence[str]) -> None:
    """One line where the user's own register has none of that name: it may be another's."""
    from collector.pledges.register.register import Register

    if not pledges:
        return
    try:
        known = {record.id for record in Register.open(create=False).briefs()}
    except CollectorError:
        return
    for id in pledges:
        if known and id not in known:
            zh = f"登记库中尚无 {id}：登记后须再授权（account change --pledge），账号才看得到它"
            en = f"the register has no pledge {id} (yet): once it is there, give it by "
            click.echo(
                tr(zh, f"{en}`account change --pledge` once more: it is unseen till then"), err=True
            )


def _say(name: str, made: str) -> None:
    from collector.web.keeping import one_time

    out(tr(f"{name} 的一次性口令：{made}\n", f"one-time password of {name}: {made}\n"))
    ends = f"it opens the page for {one_time.DAYS} days, and is changed at the first sign-in"
    click.echo(tr(f"{one_time.DAYS} 天内有效，首次登录须修改", ends), err=True)
