"""The baseline: the architecture trained on the labels alone, from its builder's initialisation.

A plain model, with the weights of its card, is not trained and has none of these settings.
"""

from __future__ import annotations

from typing import Any

KIND = "baseline"
DEFAULTS: dict[str, Any] = {  # keywords of Trainer.fit
    "epochs": 200,
    "rate": 0.01,
    "batch": 64,
    "optimizer": "adamw",
    "weight_decay": 0.05,
}
SMOKE: dict[str, Any] = {"epochs": 12}
