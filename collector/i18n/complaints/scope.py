"""Of what was judged, of policies, and of what keys may sign."""

TABLE: tuple[tuple[str, str], ...] = (
    (r"not a policy: (.*)", r"不是核验策略：\1"),
    (r"not a release: (.*)", r"不是版本目录：\1"),
    (
        r"(\S+): the release (\S+) that it names has no such control at this grade",
        r"\1：所称的版本 \2 在此级别没有这一核查项",
    ),
    (
        r"(\S+): the release (\S+) that it names has another (\S+)",
        r"\1：\3 与所称的版本 \2 不符",
    ),
    (r"its digest is not that of the controls it lists", "其摘要与所列核查项不符"),
    (r"its scope does not follow from its controls", "其核查范围与所列核查项不符"),
    (r"(\S+): a waiver that ends at another time than it says", r"\1：豁免的到期与所述不符"),
    (r"(\S+): a waiver that it does not list", r"\1：所附豁免不在其豁免之列"),
    (
        r"(\S+): a verdict on a host that returned nothing",
        r"\1：主机没有返回任何内容，却有结论",
    ),
    (r"(.*) is in it, and said to be missing", r"包内有主机 \1，却称其缺失"),
    (
        r"it bears a waiver of (\S+) on (.*) by (.*), which the record has never had",
        r"其中有 \3 对主机 \2 的 \1 所作豁免，而登记中从未有过",
    ),
    (
        r"it bears a waiver of (\S+) on (.*) by (.*), which stands in the record no more",
        r"其中有 \3 对主机 \2 的 \1 所作豁免，而登记中现已没有",
    ),
    (r"make the bundle again", "请重新制作证据包"),
    (
        r"`(hostpledge [^`]*)` puts one on record; make the bundle after that",
        r"可用 \1 登记豁免，之后重新制作证据包",
    ),
    # what keys may sign
    (
        r"signed by the key (.*), which is trusted as (.*) alone and signs no bundles",
        r"由密钥 \1 签名，信任文件不许其签署证据包（\2）",
    ),
    (
        r"the checkpoint is signed by the key (.*), which is trusted as (.*) alone and signs no "
        r"logs",
        r"检查点由密钥 \1 签署，信任文件不许其签署日志（\2）",
    ),
    (
        r"this key is kept as (.*) alone: what it signs here would not verify",
        r"此密钥的用途仅为 \1，在此所签将无法通过核验",
    ),
    (r"a bundle key", "证据包"),
    (r"a log key", "日志"),
    (
        r"name another key, or let it sign this with `(.*)`",
        r"换用另一密钥，或以 \1 增加其用途",
    ),
    (r"an SM2 key signs no logs", "SM2 密钥不签署日志"),
)
