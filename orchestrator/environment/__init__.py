"""The machine a run happens on: facts for provenance, and which device it is."""

from orchestrator.environment.isolation import isolation_of
from orchestrator.environment.provenance import boosts, facts, machine_id, memory_cgroup, memory_limit_bytes
from orchestrator.environment.recognition import Match, detect, recognise, tegra_release

__all__ = [
    "Match",
    "boosts",
    "detect",
    "facts",
    "isolation_of",
    "machine_id",
    "memory_cgroup",
    "memory_limit_bytes",
    "recognise",
    "tegra_release",
]
