"""The figures a study can report or quote, and the units a published value may have."""

from __future__ import annotations

SIZES = ("B", "kB", "KB", "KiB", "MB", "MiB", "GB", "GiB")

# metric -> units; how each is measured here stands in docs/adr/0018-studies.md.
METRICS: dict[str, tuple[str, ...]] = {
    "accuracy": ("%",),
    "accuracy_drop": ("points",),
    "bytes": SIZES,
    "deflated_bytes": SIZES,
    "parameters": ("", "k", "M"),
    "macs": ("M", "G"),
    "unique_weights": ("",),
    "unique_weights_factor": ("x",),
    "latency": ("us", "ms", "s"),
    "peak_memory": SIZES,
    "bytes_reduction": ("%",),
    "latency_reduction": ("%",),
}
# What depends on who runs the file: one column a runtime.
PER_RUNTIME = ("latency", "latency_reduction")
