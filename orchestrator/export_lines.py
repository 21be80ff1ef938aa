"""What the exporter tells of its progress, for people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

LEAST_S = 5.0  # between two lines about one training


class Lines:
    """The exporter's progress lines, cut from a stream of bytes."""

    def __init__(self, progress: Callable[[str], None], model: str, heard: Callable[[], None]):
        self._progress, self._model, self._heard = progress, model, heard
        self._rest, self._variant = b"", ""
        self._began: dict[str, float] = {}
        self._told_at = -LEAST_S
        self.error: str | None = None
        self.failed: dict[str, str] = {}

    def feed(self, data: bytes) -> None:
        """Take bytes of the exporter's standard output."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue  # a library's own print; the exit status decides

    def _take(self, message: Mapping[str, Any]) -> None:
        self._heard()
        if message["type"] == "error":
            self.error = str(message["message"])
        elif message["type"] == "train":
            self._train(message)
        elif message["type"] == "variant":
            self._variant = f" {message['name']}"
            if message["edge"] == "failed":
                self.failed[str(message["name"])] = str(message["reason"])
                self._progress(f"  {self._model}{self._variant}: failed: {message['reason']}")
        elif message["type"] == "step" and message["edge"] == "start":
            self._began[message["name"]] = time.monotonic()
        elif message["type"] == "step" and message["name"] in self._began:
            seconds = time.monotonic() - self._began[message["name"]]
            self._progress(f"  {self._model}{self._variant}: {message['name']} done in {seconds:.0f} s")

    def _train(self, message: Mapping[str, Any]) -> None:
        epoch, epochs, left_s = message["epoch"], message["epochs"], message["left_s"]
        if epoch < epochs and time.monotonic() < self._told_at + LEAST_S:
            return
        self._told_at = time.monotonic()
        left = "" if left_s is None else f", about {duration(left_s)} left"
        self._progress(f"  training {self._model} {message['name']}: epoch {epoch:g} of {epochs:g}{left}")


def duration(seconds: float) -> str:
    """For people: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
