"""How figures change with batch and threads: scenarios that ask for it, curves that show it. Pure."""

from orchestrator.scaling.curves import curves
from orchestrator.scaling.scenario import (
    MULTI_STREAM,
    OFFLINE,
    SCENARIOS,
    Scenario,
    least_queries,
    scenario_of,
)

__all__ = ["MULTI_STREAM", "OFFLINE", "SCENARIOS", "Scenario", "curves", "least_queries", "scenario_of"]
