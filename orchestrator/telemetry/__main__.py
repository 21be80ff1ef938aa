"""Watch one process and its machine: JSON Lines on standard output until standard input ends.

usage: python -m orchestrator.telemetry --pid PID [--interval SECONDS] [--root DIR] [--sources A,B]
                                        [--cores N,M] [--blocks SECONDS] [--record FOLDER]
       python -m orchestrator.telemetry --once [--pid PID] [--root DIR] [--sources A,B]
       python -m orchestrator.telemetry --jtop [--deadline SECONDS]

  --pid PID           host process id of the runner, or of the init of its container
  --interval SECONDS  time between ticks of a source that has none of its own, default 1.0
  --root DIR          where proc/ and sys/ are found, default /
  --sources A,B       each name[@SECONDS][=ARGUMENT]; default all that need no argument
  --cores N,M         stay on these, where the machine allows it; default any
  --blocks SECONDS    read and rest by turns of this length: what watching costs the watched then shows
  --record FOLDER     keep there what was read, as it was, and how long each read took
  --once              read every source once and end; without --pid those of the machine alone

Lines: one `clock`, then `reading` after `reading`, at last one `end`; between them `fix` (how a missing
value can be had), `back_off` (a slow source is now read more seldom) and `block` (reading begins or
rests). A reading is written a second or --interval after it at the latest, and what a machine does not have
is asked for once a second at most. It ends when standard input reaches its end, on SIGTERM or SIGINT, or when
the process has gone (looked for every --interval).
Exit status 0, 2 for usage.

--jtop is another program: it prints one `jtop` line, what jetson-stats knows of a Jetson or why it knows
nothing, after --deadline at the latest (default 15).
"""

import sys

if not __package__:
    # Run as a folder or a zipapp: the modules beside this file become a package of their own.
    package = type(sys)("telemetry")
    package.__path__ = [__file__.rpartition("/")[0] or "."]
    sys.modules["telemetry"] = package
    __package__ = "telemetry"


def start(words: "list[str]") -> int:
    """Each program imports only what it needs."""
    if words[:1] == ["--jtop"]:
        from .jtop_ask import main as ask

        return ask(words)
    if words == ["--jtop-client"]:
        from .jtop_client import main as answer

        return answer()
    from .program import main

    return main(words, __doc__)


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
