"""Why there is no value, as people say it; JSON has the codes."""

from __future__ import annotations

_PHRASES = {
    "no_sensor": "no sensor here",
    "permission": "closed to us",
    "eagain": "busy, says: try again",
    "enodata": "there, without data",
    "io_error": "reading it fails",
    "parse": "answers, but not as expected",
    "out_of_range": "says what cannot be true",
    "stale": "stands still, or has ended",
    "timeout": "no answer in time",
    "not_supported": "not supported here",
}


def phrase(reason: str) -> str:
    """A few words for a reason's code; an unknown code stays as it is."""
    return _PHRASES.get(reason, reason)
