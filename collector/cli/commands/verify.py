"""`hostpledge verify`: is a bundle what it claims to be, and what does that prove? Offline."""

from __future__ import annotations

from pathlib import Path

import click

from collector import catalog
from collector import verify as verifier
from collector.attest.trust.trust_file import load_trust
from collector.captures import write_aside
from collector.cli.options import policies
from collector.cli.options.bundles import (
    _named,
    _verified,
    identity_of,
    identity_option,
    open_named,
    trust_option,
)
from collector.cli.options.common import form_option
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath, Named
from collector.cli.options.summaries import Wanted, summary_options
from collector.cli.options.times import parse_time
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import VerifyFailed, shown
from collector.export import stamp
from collector.export.envelope import as_json
from collector.model import Text
from collector.scope import no_proof, not_seen
from collector.verify.policy import STRICT, Policy, Unmet, unmet

# of one line that says one thing, whatever stands in it
_LONGEST = 4000


@click.command(
    help=tr(
        "离线核验证据包（目录、ZIP，或加密的 ZIP）。"
        "退出码：0 核验通过；1 核验通过而不满足 --policy；2 核验不通过或无法核验。",
        "Verifies a bundle (a folder, a ZIP file, or an encrypted one), offline. Exit status: 0 it "
        "verifies; 1 it does, and does not meet the --policy; 2 it does not, or cannot be read.",
    )
)
@click.argument("bundle", metavar="BUNDLE", type=FilePath(path_type=Path), required=False)
@trust_option(required=False)
@click.option(
    "--page",
    "page_file",
    type=FilePath(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=tr(
        "写出一个自含的核验网页，供浏览器离线核验证据包；无需 BUNDLE 与 --trust",
        "write a self-contained page that verifies bundles in a browser, offline; needs neither "
        "BUNDLE nor --trust",
    ),
)
@click.option(
    "--proof",
    "proof_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "证据包在登记库日志中的证明（hostpledge register prove）",
        "proof that it stands in the register's log (`hostpledge register prove`)",
    ),
)
@click.option(
    "--policy",
    "policy_name",
    metavar="FILE|strict",
    help=tr(
        "核验方的要求（范围完整、新近、主机、密钥用途、时间戳、日志、重新判定相同），"
        "写于 YAML 或 JSON；未写的从严，strict 为全部从严",
        "what is wanted beside the signature (whole scope, freshness, hosts, key roles, timestamp, "
        "log, the same when judged again), as YAML or JSON; what it leaves out is wanted strictly, "
        "and all of it by `strict`",
    ),
)
@click.option(
    "--register",
    "location",
    type=Named(),
    metavar="PLACE",
    help=tr(
        "在此登记库中查找同一机器的其他名称或登记（策略的 same_machine）",
        "look in this register whether a machine was seen under another name, or of another pledge "
        "(same_machine of a policy)",
    ),
)
@click.option(
    "--at",
    metavar="TIME",
    help=tr(
        "以此时刻代替本机时钟（ISO 8601）",
        "the time to take for now, in the place of this machine's clock (ISO 8601)",
    ),
)
@identity_option
@summary_options
@form_option("text", "json")
@lang_option
def verify(
    *,
    bundle: Path | None,
    trust_file: Path | None,
    page_file: Path | None,
    proof_file: Path | None,
    policy_name: str | None,
    location: str | None,
    at: str | None,
    identity: Path | None,
    svr_file: Path | None,
    svr_key: str | None,
    passphrase_file: Path | None,
    form: str,
) -> int:
    from collector.attest.log.logged import read_inclusion
    from collector.cli.options.bundles import read_small

    if page_file is not None:
        from collector.verify.webpage import page

        check_output(page_file, bundle, trust_file, proof_file, policy_name, identity)
        write_aside(page_file, page().encode(), 0o644)
        if bundle is None:
            click.echo(str(page_file))
            return 0
    if bundle is None:
        raise click.UsageError("Missing argument 'BUNDLE'.", click.get_current_context())
    if trust_file is None:
        raise click.UsageError("Missing option '--trust'.", click.get_current_context())
    policy = policies.chosen(policy_name) if policy_name is not None else None
    summary = Wanted(svr_file, svr_key, passphrase_file)
    summary.check(bundle, trust_file, proof_file, policy_name, identity)
    trust = load_trust(trust_file)
    now = parse_time(at) if at else None
    with open_named(bundle, identity, trust) as opened:
        proof = None
        if proof_file is not None:
            try:
                proof = read_inclusion(read_small(proof_file), where=str(proof_file))
            except VerifyFailed as problem:
                raise _named(bundle, problem) from None
        found = _verified(opened, trust, now=now, proof=proof)
        again = _again(opened) if policy is not None and policy.replay else None
        elsewhere = _elsewhere(location, opened)
        about = identity_of(opened)
        lacking = unmet(policy or STRICT, found, opened.names, again, elsewhere)
        summary.write(opened, found, now, policy, lacking)
    status = 1 if policy is not None and lacking else 0
    if form == "json":
        said = {**found.to_json(), "policy": policies.to_json(policy, lacking)}
        click.echo(as_json("verify", said, about), nl=False)
        return status
    _tell(bundle, found, policy, lacking)
    return status


def _tell(
    bundle: Path,
    found: verifier.Verification,
    policy: Policy | None,
    lacking: tuple[Unmet, ...],
) -> None:
    click.echo(f"{_head(found)}: {shown(str(bundle), _LONGEST)}")
    for line in _about(found):
        click.echo(f"  {shown(line, _LONGEST)}")
    policies.say(policy, lacking)
    click.echo(tr("已证明：", "Proven:"))
    for text in found.proven:
        click.echo(f"  + {shown(text.to(lang()), _LONGEST)}")
    click.echo(tr("未证明：", "Not proven:"))
    for text in found.unproven:
        click.echo(f"  - {shown(text.to(lang()), _LONGEST)}")


def _again(opened: verifier.Bundle) -> Text | None:
    from collector.replay import wrong

    return wrong(opened)


def _elsewhere(location: str | None, opened: verifier.Bundle) -> tuple[Text, ...]:
    """Which of its machines the register, if one is named, has seen under another name."""
    if location is None:
        return ()
    from collector.cli.options.pledge import open_register
    from collector.cli.workflows import twins

    return twins.of_bundle(open_register(location), opened)


def _head(found: verifier.Verification) -> str:
    """That it verified, and in the same breath what it is no proof of."""
    said = tr("核验通过", "Verified")
    if found.redacted:
        said += tr("（仅限所及：采集文件已略去）", " as far as it goes: its captures were left out")
    parts = found.scope.clauses.values()
    whole = all(part.whole for part in parts)
    if found.scope.known and whole and not found.scope.absent:
        return said
    none = no_proof(found.scope.unproven).to(lang()) if found.scope.unproven else ""
    if not found.scope.known:
        how = tr("版本未知，范围无从核对", "of a release that is not known here")
    elif whole:
        how = ""
    else:
        how = found.scope.said().to(lang())
    less = [tr(f"仅 {how}", f"only {how}")] if how else []
    if found.scope.absent:
        less.append(tr("有登记的主机未核查", "not on every declared host"))
    but = tr("，但", ", but ") + tr("，且", ", and ").join(less)
    return said + but + (tr("，", ": ") + none if none else "")


def _unseen(count: int) -> str:
    return tr(f"，其中 {count} 台未能核查", f", {count} of them not looked at") if count else ""


def _about(found: verifier.Verification) -> list[str]:
    predicate = found.statement["predicate"]
    looks, pledge = found.looks, predicate["pledge"]
    ago = tr(f"（{found.age_days} 天前）", f" ({found.age_days} day(s) ago)")
    if found.age_days is None:
        ago = tr("（并非全部载明）", " (not told of all)")
    if any(one.what == "looked_at" for one in found.ahead):
        ago = tr("（时间属于将来）", " (a time that is yet to come)")
    lines = [
        f"sha256:{found.digest}",
        tr("核查时段", "looked at") + f": {stamp(looks.oldest)} … {stamp(looks.newest)}" + ago,
        tr("主机数", "hosts") + f": {found.hosts}" + _unseen(looks.unseen),
        tr("核查范围", "scope")
        + f": {found.scope.said().to(lang())}"
        + tr(f"，{found.scope.grade} 级", f", grade {found.scope.grade}"),
    ]
    if found.scope.absent:
        none = no_proof(found.scope.unproven).to(lang())
        lines.append(not_seen(found.scope.absent).to(lang()) + tr("：", ": ") + none)
    if pledge is not None:
        sequence = tr(f"第 {pledge['sequence']} 份", f"bundle {pledge['sequence']}")
        lines.append(tr("登记", "pledge record") + f": {shown(pledge['id'])}, {sequence}")
    lines += [_clause(found, number) for number in found.clauses]
    return lines


def _clause(found: verifier.Verification, number: str) -> str:
    """Its verdict, and where it is none of the whole clause, of how much of it."""
    words = catalog.words()["verdict"]
    clause = catalog.clauses()[number]
    verdict = words[found.clauses[number]].to(lang())
    part = found.scope.clauses[number]
    if not part.judged:
        verdict = tr("未核查", "not looked at")
    line = f"{clause['number']} {clause['title'][lang()]}: {verdict}"
    if found.scope.proves(number):
        return line
    said = found.scope.said(number).to(lang())
    signed = found.statement["predicate"]["clauses"][number]
    if part.judged and signed != found.clauses[number]:
        said += tr(
            f"；签名人称：{words[signed].to(lang())}",
            f"; its signer says: {words[signed].to(lang())}",
        )
    return line + tr(f"（{said}）", f" ({said})")
