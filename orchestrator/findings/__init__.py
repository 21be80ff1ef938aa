"""Coded warnings with advice, and the verdict they lead to. Pure."""

from orchestrator.findings.case import Circumstances, case_findings
from orchestrator.findings.codes import Code, verdict
from orchestrator.findings.heat import heat_findings
from orchestrator.findings.sustained import of_sustained
from orchestrator.findings.trial import trial_findings
from orchestrator.findings.unobserved import heat_unobserved

__all__ = [
    "Circumstances",
    "Code",
    "case_findings",
    "heat_findings",
    "heat_unobserved",
    "of_sustained",
    "trial_findings",
    "verdict",
]
