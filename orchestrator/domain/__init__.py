"""The words of the suite as types. Pure: no input or output, no import of ours.

Units are suffixes of field names (``_ns``, ``_bytes``, ``_c``, ``_hz``). ``None`` means unknown,
and wherever a value is ``None`` a reason stands in a finding or in a ``reasons`` mapping beside it.
"""

from orchestrator.domain.explanation import Execution, Note, Roofline
from orchestrator.domain.mlperf import MlperfResult
from orchestrator.domain.record import (
    Energy,
    Latency,
    Memory,
    Parity,
    Part,
    Score,
    TrialRecord,
)
from orchestrator.domain.summary import (
    CaseEnergy,
    CaseSummary,
    Interval,
    Quantile,
    Scatter,
    Size,
    SpeedMode,
)
from orchestrator.domain.sustained import Minute, PowerCourse, Sustained
from orchestrator.domain.words import (
    Case,
    Finding,
    InferometerError,
    Severity,
    Skip,
    Status,
    Trial,
    Verdict,
)

__all__ = [
    "Case",
    "CaseEnergy",
    "CaseSummary",
    "Energy",
    "Execution",
    "Finding",
    "InferometerError",
    "Interval",
    "Latency",
    "Memory",
    "Minute",
    "Note",
    "MlperfResult",
    "Parity",
    "Part",
    "PowerCourse",
    "Quantile",
    "Roofline",
    "Scatter",
    "Score",
    "Severity",
    "Size",
    "Skip",
    "SpeedMode",
    "Status",
    "Sustained",
    "Trial",
    "TrialRecord",
    "Verdict",
]
