"""The end of a bench: summary, citation and manifest, in an order that a crash does not spoil."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.files import write_atomic
from orchestrator.store import SUMMARY, Run, rendered
from orchestrator.verify import citation, manifest


def finish(run: Run, document: Mapping[str, Any]) -> None:
    """Write what a finished folder has beside its raw data.

    The summary comes last: a run that has one is finished, so none is finished without its manifest.
    """
    kept = manifest.listing(run.folder, without=(SUMMARY, manifest.CITATION))
    cited = citation.render(document, citation.facts(run, manifest.data_sha256(kept)), ())
    write_atomic(run.folder / manifest.CITATION, cited)
    written = ((SUMMARY, rendered(document)), (manifest.CITATION, cited))
    manifest.write(run.folder, (*kept, *(manifest.described(name, data) for name, data in written)))
    run.write_summary(document)
