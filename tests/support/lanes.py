"""Which test files never run beside each other where several workers share the tests.

A file is one worker's, so that what it makes once for its tests is made once; so is a lane of files.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

LANES = {
    # A bench removes the containers that another one of its device left, which may still be at work.
    "benches in this machine's engine": (
        "added_models",
        "bundle",
        "emulated_board",
        "fresh_clone",
        "own_models",
        "tensorrt_container",
    ),
    # They look for telemetry programs in all the machine's processes, or run such.
    "this machine as a board": (
        "jtop_service",
        "remote_board",
        "remote_doctor",
        "remote_link",
        "telemetry_process",
    ),
}
_LANE_OF = {f"tests/integration/test_{name}.py": lane for lane, names in LANES.items() for name in names}


def lane(test: str) -> str:
    """The lane of a test, by its id; a file's own where it has no other."""
    path = test.partition("::")[0]
    return _LANE_OF.get(path, path)


class Lanes(LoadScopeScheduling):
    """Gives a worker a whole lane at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)
