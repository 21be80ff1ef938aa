"""Trials joined into summaries, and summaries of several runs into one comparison. Pure."""

from orchestrator.merge.comparison import join
from orchestrator.merge.documents import case_summary, read_document, summary_document
from orchestrator.merge.drop import with_drops
from orchestrator.merge.execution import execution
from orchestrator.merge.summary import Facts, summarise

__all__ = [
    "Facts",
    "case_summary",
    "execution",
    "join",
    "read_document",
    "summarise",
    "summary_document",
    "with_drops",
]
