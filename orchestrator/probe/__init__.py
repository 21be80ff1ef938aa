"""One anonymous archive of all that a board's sensors say, for whoever has no such board."""

from orchestrator.probe.archive import Archive, destination, save
from orchestrator.probe.take import name_of, take

__all__ = ["Archive", "destination", "name_of", "save", "take"]
