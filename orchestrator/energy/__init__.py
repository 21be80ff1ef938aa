"""Joules from raw readings: what a window took, how sure that is, and why there is no figure. Pure.

Per-launch figures use no numpy, so the measuring process stays small. docs/adr/0010-energy.md tells what is
estimated and why the uncertainty has the form it has.
"""

from orchestrator.energy.case import case_energy
from orchestrator.energy.course import power_course
from orchestrator.energy.figure import Windows, energy_of
from orchestrator.energy.requirement import attainable, is_power, needed_idle_ns, needed_window_ns

__all__ = [
    "Windows",
    "attainable",
    "case_energy",
    "energy_of",
    "is_power",
    "needed_idle_ns",
    "needed_window_ns",
    "power_course",
]
