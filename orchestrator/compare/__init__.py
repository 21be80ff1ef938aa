"""Two sets of results against each other: what became faster or slower, and how sure that is.

Sides are read (``side``), their cases paired (``pairing``), what differs in how they were measured is named
(``provenance``), figures are judged (``judgement``, ``moded``), conditions of a gate are asked
(``condition``), and all of it becomes one document (``document``) that is printed in several ways.
"""

from orchestrator.compare.comparison import Comparison, Wish, compare

__all__ = ["Comparison", "Wish", "compare"]
