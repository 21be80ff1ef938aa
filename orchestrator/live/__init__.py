"""What this machine's sensors say now: the telemetry program, followed line by line and made readable."""

from orchestrator.live.picture import Picture, Row
from orchestrator.live.stream import Stream
from orchestrator.live.view import cells, lines
from orchestrator.live.wish import wished

__all__ = ["Picture", "Row", "Stream", "cells", "lines", "wished"]
