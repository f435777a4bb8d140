"""How a bundle fails to verify: beginnings of what is said, and their Chinese."""

TABLE: tuple[tuple[str, str], ...] = (
    (r"its bytes were changed", "内容已被改动"),
    (r"is missing, and the statement names it", "文件缺失，而签名声明中列有此文件"),
    (r"is named by no statement", "签名声明中没有列出此文件"),
    (r"by (\S+), and the statement names (\S+)", r"由 \1 签名，而声明所列的是 \2"),
    (r"another statement than in (\S+)", r"所签的声明与 \1 中的不同"),
    (r"names another SM3 digest for (\S+)", r"其中 \1 的 SM3 摘要不符"),
    (r"is missing", "文件缺失"),
    (r"is not in the manifest", "不在清单中，属多余文件"),
    (r"is not among what was signed", "不在签名范围内"),
    (r"is not what was signed", "与签名时的内容不符"),
    (r"does not belong to the bundle", "不属于证据包"),
    (
        r"signed by (\S+) and (\S+), which is not among the trusted keys",
        r"由 \1 和 \2 签名，均不在信任文件中",
    ),
    (
        r"the signature is not by (\S+) over this \(the (SM2 )?signature beside it holds\)",
        r"签名无效：不是 \1 对此内容的签名（另一份签名有效）",
    ),
    (
        r"the signature is not by (\S+) over this \(the (SM2 )?signature beside it fails too.*",
        r"签名无效：不是 \1 对此内容的签名（另一份签名也无效）",
    ),
    (r"signed by (\S+), which is not among the trusted keys", r"由 \1 签名，该密钥不在信任文件中"),
    (r"signed by the key (\S+), revoked ([^;]+);.*", r"签名密钥 \1 已于 \2 吊销"),
    (
        r"the key (\S+) ended (\S+), and nothing but the signer's word says.*",
        r"密钥 \1 已于 \2 停用，而签署时间仅由签名人自己声称；"
        "须有时间戳，或以 --proof 给出登记库日志的证明",
    ),
    (
        r"shown to be there (\S+), after the end of the key (\S+).*",
        r"\1 方有佐证，而密钥 \2 此前已停用",
    ),
    (
        r"says that it was signed (\S+), and was timestamped before that \((\S+)\)",
        r"所称的签署时间 \1 晚于其时间戳 \2",
    ),
    (r"its timestamp is not over this signature", "时间戳不是对此签名所盖"),
    (r"its timestamp is not by a trusted authority.*", "时间戳不是由信任的时间戳机构所盖"),
    (
        r"its timestamp (?:cannot be read|is not in the one form|is larger).*",
        "时间戳格式不对，无法采信",
    ),
    (r"a proof for another bundle \((\S+)\)", r"是另一份证据包（\1）的证明"),
    (r"signed (\S+), before the key (\S+) was valid.*", r"签署时间 \1 早于密钥 \2 的启用时间"),
    (r"signed (\S+), after the end of the key (\S+).*", r"签署时间 \1 晚于密钥 \2 的停用时间"),
    (r"the signature is not by (\S+) over this", r"签名无效：不是 \1 对此内容的签名"),
    (r"the signature is not in", "签名不是唯一允许的编码形式"),
    (r"not in its canonical bytes", "不是规范字节（RFC 8785）"),
    (r"not JSON", "不是规范的 JSON"),
    (r"its clauses do not follow from its findings", "条款结论与各项结论不符"),
    (r"no bundle here", "这里没有证据包"),
    (r"not a whole ZIP file", "ZIP 文件不完整"),
    (r"cannot be decrypted: .*", "无法解密，文件被改动或不完整"),
    (r"stands in a bundle without captures", "是采集文件，而证据包自称已略去采集文件"),
)
