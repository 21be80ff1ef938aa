"""What the figures of a row show, in plain sentences with their evidence, and how near its limit it is.

Pure: a summary document in, notes out. A note that has nothing to rest on is not made.
"""

from orchestrator.explain.document import explained, notes

__all__ = ["explained", "notes"]
