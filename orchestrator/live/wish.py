"""Which sources are to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator import choices, meter, power
from orchestrator.catalog import Catalog
from orchestrator.engines import observer
from orchestrator.engines.place import Place, here


def wished(
    catalog: Catalog, device: str, sources: Sequence[str], plug: str | None, place: Place | None = None
) -> tuple[str, ...]:
    """The named sources, else the device's, else those of every device; with the ``plug``'s if there is one.

    ``device`` may be empty: then the one that the machine is. Empty where the program's own default, which is
    all that need no argument, says it as well. Raises InferometerError for an unknown device, and for a plug
    whose kind is not named and that does not answer.
    """
    chosen = catalog.device(device) if device else choices.recognised(catalog, place or here())
    wanted = tuple(sources) or (chosen.sources if chosen else ())
    if not plug:
        return wanted
    kinds = meter.candidates(plug)
    source = kinds[0] if len(kinds) == 1 else power.plug(observer.sense, plug).readable[0]
    return (*(wanted or choices.sources_of_all(catalog)), source)
