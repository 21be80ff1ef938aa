"""What a run's processor can do, for its head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def processor_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """From the facts of ``run.json``; runs of older versions did not look for dot-product instructions."""
    known = facts.get("dot_product")
    reason = facts.get("reasons", {}).get("dot_product") or "not recorded"
    return {
        "arch": facts.get("arch"),
        "cores": facts.get("cores_logical"),
        "dot_product": known,
        "dot_product_reason": reason if known is None else None,
    }
