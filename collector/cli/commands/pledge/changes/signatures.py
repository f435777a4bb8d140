"""`hostpledge pledge withdraw-signed`: records that were signed by mistake, each taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes.taking_back import all_or_none, said_of, taking_back
from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput, one_line
from collector.i18n.message import msg

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register


@click.command(
    "withdraw-signed",
    help=tr(
        "撤回误登的签署（签到了别的草稿、编号写错而新建、误续签）：记明理由与经办人，作为登记的新版本。"
        "原为草稿的恢复为草稿；登记时即为已签署的，成为已撤回的草稿，不约束任何人，编号可再用；"
        "扫描件可登记到应属的用户。撤回的签署与原版本都留在登记和历史中，人人可查，销毁后也保留。"
        "签署后附有证据（未作废）、发过通知书（未撤回）或已续签的，不撤回：真实的合同到期或解除，登记终止。",
        "Takes back what was put on record as signed by mistake: the wrong draft, a mistyped id, a "
        "renewal. With why and by whom, as a new version of each. What was a draft is that draft "
        "again; what was signed when it was made becomes a withdrawn draft, which binds nobody, "
        "and its id can be used again. The scans can be given to the customer who signed. The "
        "signature stays in the record and its history for all to see, and outlives a disposal. "
        "Refused where evidence (not void) or notices (not withdrawn) rest on it, or another "
        "record continues it: a true contract is put on record as ended.",
    ),
)
@taking_back
@answering("pledge-withdraw-signed")
@register_option
@lang_option
def withdraw_signed(
    *, ids: tuple[str, ...], reason: str, by: str, check: bool, location: str | None
) -> int:
    from collector.pledges.record.reverting import unsigned
    from collector.pledges.record.times import today_in_china

    today, said = today_in_china(), said_of(reason, by)
    register = open_register(location)

    def planned(id: str) -> tuple[Callable[[PledgeRecord], PledgeRecord], PledgeRecord]:
        history = [one.record for one in register.history(id)]
        made = unsigned(history, said, today=today)
        check_rests(register, history[-1], since=_signed_in(register, id))
        return lambda _newest: made, made

    done = all_or_none(register, ids, planned, check=check)
    answer(check=check, withdrawn=[_plain(record, version) for record, version in done])
    out("".join(f"{one_line(_line(record), 300)}\n" for record, _ in done))
    count = len(done)
    zh, en = f"已撤回 {count} 份登记的签署，历史照旧可查\n", f"{count} signed record(s) withdrawn: "
    en += "the history keeps what was signed\n"
    if check:
        zh = f"将撤回 {count} 份登记的签署（只检查，未写入）\n"
        en = f"{count} signed record(s) would be withdrawn (nothing is written)\n"
    out(tr(zh, en))
    return 0


def _signed_in(register: Register, id: str) -> int:
    """The first version of those that are signed now."""
    first = 1
    for version in register.history(id):
        if version.record.document.get("draft"):
            first = version.number + 1
    return first


def check_rests(register: Register, record: PledgeRecord, *, since: int) -> None:
    """Raises BadInput where something stands that came of a signature of version `since`."""
    from collector.pledges.record.drafts import is_withdrawn
    from collector.pledges.record.notices import notices
    from collector.pledges.record.voiding import voided

    id = record.id
    void = {entry["sequence"] for entry in voided(record)}
    numbers = [
        str(one.sequence)
        for one in register.every_evidence(id)
        if one.sequence not in void and (one.version is None or one.version >= since)
    ]
    if numbers:
        what = msg("signature_has_evidence", numbers=", ".join(numbers[:8]))
        raise BadInput(what, where=id, mend=msg("signature_has_evidence_mend"))
    if given := [one.number for one in notices(record) if one.withdrawn is None]:
        what = msg("signature_has_notices", numbers=", ".join(given[:8]))
        raise BadInput(what, where=id, mend=msg("signature_has_notices_mend"))
    for other in register.briefs():
        if other.document.get("renews") == id and not is_withdrawn(other.document):
            what = msg("signature_is_continued", other=other.id)
            raise BadInput(what, where=id, mend=msg("signature_is_continued_mend"))


def _plain(record: PledgeRecord, version: int | None) -> dict[str, Any]:
    return {"id": record.id, "version": version, "ended": "ended" in record.document}


def _line(record: PledgeRecord) -> str:
    from collector.pledges.record.masking import masked

    name = masked(record.customer)
    if "ended" in record.document:
        return tr(
            f"{record.id}（{name}）：作为草稿撤回，编号可再用",
            f"{record.id} ({name}): withdrawn as a draft; its id can be used again",
        )
    return tr(f"{record.id}（{name}）：恢复为草稿", f"{record.id} ({name}): a draft again")
