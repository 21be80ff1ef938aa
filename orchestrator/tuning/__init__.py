"""Changes to the machine that ``--tune`` asks for by name, undone afterwards even after a kill.

docs/adr/0012-tuning.md says when it is done and how it is put back.
"""

from orchestrator.tuning.leftover import forgotten, put_back, refuse_there
from orchestrator.tuning.machine import Machine
from orchestrator.tuning.tune import Tuning
from orchestrator.tuning.wishes import TuneWish, parse, permit

__all__ = ["Machine", "TuneWish", "Tuning", "forgotten", "parse", "permit", "put_back", "refuse_there"]
