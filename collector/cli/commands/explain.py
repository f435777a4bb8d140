"""`hostpledge explain`: one control, so that a person knows what is asked, and why."""

from __future__ import annotations

import click

from collector import catalog
from collector.cli.commands.controls import entry_of
from collector.cli.options.common import ControlName, find, form_option
from collector.cli.ui.columns import labelled, out, wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.ui.remedy_view import by_hand
from collector.export.envelope import as_json
from collector.model import Control, Harden, Value
from collector.remedies.steps import PLATFORMS
from collector.resources import package_text
from collector.schema import load_yaml

_MAPPINGS = {
    "mlps_2": ("GB/T 22239-2019 二级", "GB/T 22239-2019 level 2"),
    "mlps_3": ("GB/T 22239-2019 三级", "GB/T 22239-2019 level 3"),
    "gbt28448_3": ("GB/T 28448-2019 三级", "GB/T 28448-2019 level 3"),
    "cis_v8": ("CIS Controls v8", "CIS Controls v8"),
    "nist_800_53r5": ("NIST SP 800-53 r5", "NIST SP 800-53 r5"),
}


@click.command(
    help=tr(
        "说明一个核查项：查什么、标准、读取哪些内容、如何整改。CONTROL 为名称或编号（如 D12）。",
        "Explains one control: what is asked, by which numbers, what is read on the host, what to "
        "do. CONTROL is its name or its number (such as D12).",
    )
)
@click.argument("control", type=ControlName())
@click.option(
    "--platform",
    type=click.Choice(PLATFORMS),
    help=tr(
        "只给出这一平台的整改步骤：debian 含 Ubuntu，rhel7 与 rhel8 含 CentOS、Rocky、Anolis 等，"
        "openeuler 含麒麟",
        "only the steps of this platform: debian is Ubuntu too, rhel7 and rhel8 are CentOS, Rocky, "
        "Anolis and their kin too, openeuler is Kylin too",
    ),
)
@form_option("text", "json")
@lang_option
def explain(control: str, platform: str | None, form: str) -> int:
    known = find(control)
    if form == "json":
        entry = entry_of(known)
        if platform is not None:
            entry["steps"] = [step for step in entry["steps"] if platform in step["platforms"]]
        out(as_json("explain", {"control": {"id": known.id, **entry}}, indent=2))
    else:
        out(describe(known, platform))
    return 0


def describe(control: Control, platform: str | None = None) -> str:
    """Everything of a control, for 80 columns; lines to type are never broken, however long."""
    words = catalog.words()
    clause = catalog.clauses()[control.clause]
    number = catalog.clause_number(control.clause, lang())
    grades = control.grades
    lines = [
        f"{control.number}  {control.id}",
        wrap(control.title.to(lang())),
        "",
        wrap(control.about.to(lang())),
        "",
        labelled(tr("条款", "clause"), f"{number} {clause['title'][lang()]}"),
        labelled(
            tr("严重程度", "severity"),
            words["severity"][control.severity].to(lang())
            + (_veto() if control.veto else "")
            + _at_grade_3(control),
        ),
        labelled(tr("适用级别", "grades"), tr("、", ", ").join(str(grade) for grade in grades)),
    ]
    lines += ["", tr("判定标准", "Criterion"), *_criteria(control)]
    if control.parameters:
        lines += ["", tr("参数", "Parameters"), *_parameters(control)]
    if control.guides:
        lines += ["", tr("发行版自己的加固指南", "What guides of distributions ask for")]
        for source, asks in control.guides:
            lines += [wrap(source.to(lang()), indent="  "), wrap(asks.to(lang()), indent="    ")]
    lines += ["", tr("在主机上读取", "What is read on the host")]
    for read in catalog.reads_for([control]).values():
        lines += [f"  {read.id}", wrap(read.why.to(lang()), indent="    ")]
    lines += ["", tr("整改办法", "What to do")]
    fills = control.for_grade(grades[0]).values
    lines.append(wrap(filled(control.remediation.to(lang()), fills), indent="  "))
    lines += by_hand(control, platform)
    lines += how_to_attest(control)
    if control.harden is not None:
        lines += ["", tr("自动整改（hostpledge harden）", "By hostpledge harden")]
        lines += _hardened(control.harden, fills)
    lines += ["", tr("对应标准", "Mappings")]
    for name, (zh, en) in _MAPPINGS.items():
        number = str(control.mappings.get(name, "-"))
        if not catalog.checked(number):
            number += tr("（条号未核对）", " (number unverified)")
        lines.append(labelled(f"  {tr(zh, en)}", number, column=28))
    closing = tr(
        f"hostpledge reads --family {control.family} 可查看读取的全部内容",
        f"`hostpledge reads --family {control.family}` prints these reads in full",
    )
    lines += ["", wrap(closing)]
    return "\n".join(lines) + "\n"


def how_to_attest(control: Control) -> list[str]:
    """Where an attestation counts, and the lines of the record; that none does, where none does."""
    title = [
        "",
        tr("证明（登记中的attestations）", "Attesting it (attestations of the pledge record)"),
    ]
    if control.attested is None:
        none = tr(
            "此项不以登记中的证明为据，只看主机上读到的内容",
            "this control takes no attestation of the pledge record: what is read on the host "
            "decides",
        )
        return [*title, wrap(none, indent="  ")]
    when = tr("仅在此种情形采信——", "It counts only ") + control.attested.to(lang())
    then = tr(
        "填好后并入登记文件，再以 hostpledge pledge add --update 登记文件 交回；"
        "其后的核查与报告即以此为据",
        "fill in, lay into the file of the record, and hand that in by "
        "`hostpledge pledge add --update RECORD`; what is assessed from then on goes by it",
    )
    return [
        *title,
        wrap(when, indent="  "),
        "",
        *attestation_form(control),
        "",
        wrap(then, indent="  "),
    ]


def attestation_form(control: Control) -> list[str]:
    """The YAML of one attestation, with what has to be filled in."""
    host, by = tr("主机名称", "HOST"), tr("姓名", "NAME")
    statement = tr("由谁、以何种方式、依据什么", "who sees to it, how, and by which paper")
    return [
        "  attestations:",
        f"    - clause: responsibility.{control.clause}",
        f"      control: {control.id}",
        f"      hosts: [{host}]",
        f"      statement: {statement}",
        f"      by: {by}",
        '      date: "2026-11-30"',
        '      expires: "2027-05-30"',
    ]


def _hardened(harden: Harden, fills: object) -> list[str]:
    """What a role changes, how risky that is, and what is left to a person."""
    lines = []
    if harden.change is not None and harden.risk is not None:
        risk = catalog.words()["severity"][harden.risk].to(lang())
        back = (
            tr("可撤销", "can be undone")
            if harden.reversible
            else tr("不可撤销", "cannot be undone")
        )
        text = filled(harden.change.to(lang()), fills)
        lines.append(labelled(f"  {tr('改动', 'change')}", text))
        lines.append(labelled(f"  {tr('风险', 'risk')}", tr(f"{risk}，{back}", f"{risk}, {back}")))
    if harden.warning is not None:
        lines.append(labelled(f"  {tr('注意', 'take care')}", harden.warning.to(lang())))
    if harden.person is not None:
        text = filled(harden.person.to(lang()), fills)
        lines.append(labelled(f"  {tr('由人', 'person')}", text))
    return lines


def _at_grade_3(control: Control) -> str:
    if control.severity_3 is None:
        return ""
    word = catalog.words()["severity"][control.severity_3].to(lang())
    return tr(f"（三级：{word}）", f" ({word} at grade 3)")


def _veto() -> str:
    return tr("，一票否决：此项不符合即该条款不符合", ", veto: its failure alone fails the clause")


def _criteria(control: Control) -> list[str]:
    """The criterion with its numbers; once where the grades share them."""
    texts = {
        grade: filled(control.criterion.to(lang()), control.for_grade(grade).values)
        for grade in control.grades
    }
    if len(set(texts.values())) == 1:
        return [wrap(next(iter(texts.values())), indent="  ")]
    return [
        labelled(f"  {tr(f'{_grade(grade)}', f'grade {grade}')}", text)
        for grade, text in texts.items()
    ]


def _grade(grade: int) -> str:
    return {2: "二级", 3: "三级"}[grade]


def _parameters(control: Control) -> list[str]:
    lines = []
    place = f"controls/{control.family}/{control.id.split('.', 1)[1]}.yml"
    declared = load_yaml(package_text(place), where=place)["parameters"]
    for name, by_grade in control.parameters.items():
        values = {grade: shown(by_grade[grade]) for grade in control.grades}
        if len(set(values.values())) == 1:
            text = next(iter(values.values()))
        else:
            text = tr("；", "; ").join(
                tr(f"{_grade(grade)} {value}", f"grade {grade}: {value}")
                for grade, value in values.items()
            )
        lines.append(wrap(f"{name} = {text}", indent="  "))
        lines.append(wrap(declared[name]["about"][lang()], indent="    "))
    return lines


def shown(value: Value) -> str:
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)


def filled(template: str, values: object) -> str:
    """A criterion with its parameters in the place of their names."""
    if isinstance(values, dict):
        for name, value in values.items():
            template = template.replace("{" + str(name) + "}", shown(value))
    return template
