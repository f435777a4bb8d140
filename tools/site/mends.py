"""What to do about a message: the mend that is said with it, and what its kind asks of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from tools.site.languages import Lang, colon, either
from tools.site.said import Said, places

_MOST = 12
_INPUT = (
    "输入不能使用，命令以退出码 2 结束。按这一行所说的位置改正，再运行同一命令；`hostpledge "
    "check 文件` 可先行检查人写的文件。",
    "What was handed over cannot be used, and the command ends with status 2. Put right what "
    "the line names, where it names it, and give the same command again; `hostpledge check "
    "FILE` looks at files that people write beforehand.",
)
_LOOK = (
    "主机没有让脚本看到，核查项判为未能核查（error），不会判为符合。以 root 采集，或消除信息所"
    "说的原因（无权限、超时、截断、缺少命令），再采集一次；采集文件较旧、没有这一读取时，用现在"
    "的版本重新采集。",
    "The host did not let the script see, so controls that rest on it are `error`, never "
    "`pass`. Collect as root, or remove what the message names (no right, no answer in time, "
    "output cut short, no such command), and collect again; a capture of an older version "
    "lacks the read: collect anew.",
)
_UNDERSTAND = (
    "主机作了回答，但解析器不认识它，核查项判为未能核查（error），不会判为符合。在主机上查看信"
    "息所引的行：写错的改正后再采集；写法正确的，由人工判断，并连同该行报告给我们。",
    "The host answered and the parser does not know what that means, so controls that rest on "
    "it are `error`, never `pass`. Look at the quoted line on the host: mend it if it is wrong "
    "and collect again; if it is right, judge by hand, and report the line to us.",
)
_VERIFY = (
    "证据包没有证明它所声称的，或信任文件不承认它的签名。不要采信；保存原件，请交来的人另行重新"
    "提交，并确认信任文件来自别的途径。见[核验](../../verifying.md)。",
    "The bundle does not prove what it claims, or your trust file does not know its signature. "
    "Do not rely on it: keep it as it is, have it handed in again, and see that the trust file "
    "came by another way. See [verifying](../../verifying.md).",
)
_LIMIT = (
    "判定所需超过了允许的时间或内存，核查项判为未能核查（error）。查看该主机送来的采集文件为何"
    "如此之大或如此深，再采集一次。",
    "Judging takes more time or memory than it may, so the control is `error`. See why what "
    "the host sent is so large or so deep, and collect again.",
)
_PROBE = (
    "这是一次测试看到的结果，不是命令的错误。没有奏效的，按核查项页面整改后再测；看不出结果的，"
    "见[测试](../../probes.md)。",
    "This is what a probe saw, and no error of the command. What did not work is mended as the "
    "page of its control says, and probed again; of what stayed unknown see "
    "[probes](../../probes.md).",
)
_HANDED = (
    "提交未被接受，已收到的没有丢失。稍后再交，或按信息所说减小、换一个链接。",
    "The hand-in was not taken, and nothing that was taken before is lost. Hand in later, or "
    "smaller, or by another link, as the message says.",
)
_AWAY = (
    "数据库没有应答，所提交的内容本身没有问题。登记库没有改动；确认数据库服务在运行、还有空闲连接，"
    "再运行同一命令。",
    "The database did not answer; nothing is wrong with what was asked, and the register was "
    "not changed. See that its server runs and has connections left, and give the same command "
    "again.",
)
_MESH = (
    "采集节点的问题。该节点没有做完的主机已交给其他节点或留待重试，没有丢失；用 "
    "`hostpledge mesh check` 查看节点，排除后用 `hostpledge run --retry` 补齐。",
    "It is about a collection node. Hosts that it did not finish went to other nodes or wait for a "
    "retry; none is lost. Look at the nodes with `hostpledge mesh check`, mend what it says, and "
    "give `hostpledge run --retry`.",
)
# by the name of what says a message
DONE_BY: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "BadInput",
            "DatabaseSaysError",
            "Disagrees",
            "PaperTakenError",
            "YAMLError",
            "_UnlikeError",
        ),
        _INPUT,
    ),
    **dict.fromkeys(("CouldNotLook", "_unseen"), _LOOK),
    **dict.fromkeys(
        ("NotUnderstood", "NotTrusted", "Foggy", "Strange", "Refused", "_wrong", "_no", "Unknown"),
        _UNDERSTAND,
    ),
    **dict.fromkeys(("VerifyFailed", "unlike", "other_form"), _VERIFY),
    **dict.fromkeys(("PastLimit", "Allowance"), _LIMIT),
    **dict.fromkeys(("untold", "failed", "worked", "Outcome", "_finish"), _PROBE),
    **dict.fromkeys(
        ("SlowError", "BusyError", "GoneError", "NoRoomError", "TooLargeError", "UsedError"),
        _HANDED,
    ),
    "DatabaseAwayError": _AWAY,
    **dict.fromkeys(("NodeRefused", "NodeLost", "CentreLost", "Unwilling"), _MESH),
}


def told(
    code: str, at: Sequence[Said], lang: Lang, link: Callable[[str, Lang], str]
) -> Iterator[str]:
    """Lines of Markdown, none where it is not sure; `link` makes one to another message's page.

    What a kind asks of a person is said of a message that is of one kind wherever it is said.
    """
    mends = sorted({mend for one in at for mend in one.mends})
    if mends:
        yield from (f"{either(lang, '随同说出的办法', 'Said with it')}{colon(lang)}".rstrip(), "")
        yield from (f"- {link(mend, lang)}" for mend in mends)
        yield ""
    for_ = _mended().get(code, ())
    if for_:
        head = either(lang, "它本身是办法，随同这些信息说出", "It is itself the mend, said with")
        yield f"{head}{colon(lang)}".rstrip()
        yield ""
        yield from (f"- {link(one, lang)}" for one in for_[:_MOST])
        if len(for_) > _MOST:
            yield f"- {either(lang, f'共 {len(for_)} 条', f'{len(for_)} in all')}"
        yield ""
    asks = {DONE_BY.get(one.kind) for one in at if not one.mend}
    sure = asks.pop() if len(asks) == 1 else None
    if sure is not None:
        yield from (either(lang, *sure), "")


@cache
def _mended() -> Mapping[str, tuple[str, ...]]:
    """By mend, the messages that it is said with."""
    found: dict[str, set[str]] = {}
    for code, at in places().items():
        for one in at:
            for mend in one.mends:
                found.setdefault(mend, set()).add(code)
    return {mend: tuple(sorted(codes)) for mend, codes in found.items()}
