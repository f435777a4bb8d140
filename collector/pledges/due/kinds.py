"""What falls due, in words for people, by its word for programs (`deadlines.KINDS`)."""

from __future__ import annotations

from collections.abc import Mapping

from collector.model import Text

WORDS: Mapping[str, Text] = {
    "period_end": Text("登记期满", "end of the period"),
    "resource_period": Text("资源期限", "end of resources"),
    "self_check": Text("自查", "self-check"),
    "self_check_findings": Text("自查问题整改", "mending of what a self-check found"),
    "training": Text("员工教育", "training"),
    "public_security_filing": Text("公安备案", "public-security filing"),
    "classification_review": Text("数据清单复核", "review of the data inventory"),
    "evidence": Text("核查证据", "evidence"),
    "waiver": Text("豁免到期", "end of a waiver"),
    "finding": Text("问题整改", "mending of a finding"),
    "attestation": Text("书面材料到期", "end of an attestation"),
    "vulnerability": Text("漏洞处置", "vulnerability"),
    "harmful_content": Text("有害信息处置", "harmful content"),
    "inspection": Text("检查整改", "mending after an inspection"),
    "incident_authority": Text("事故报告主管部门", "incident reported to the authority"),
    "incident_provider": Text("事故知会接入方", "incident told to the provider"),
    "disposal": Text("保存期满", "end of keeping"),
}
