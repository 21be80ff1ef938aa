"""The command line; argparse would double what this process imports."""

from .sources import DEFAULT, Wish, nanoseconds


class Usage(Exception):
    """A mistake in the arguments, in one line."""


class Arguments:
    """What was asked for. Raises :class:`Usage`."""

    def __init__(self, words: "list[str]") -> None:
        options = {"--pid": "", "--interval": "1.0", "--root": "/", "--sources": ",".join(DEFAULT)}
        options.update({"--cores": "", "--blocks": "", "--record": ""})
        self.once = "--once" in words
        left = iter(word for word in words if word != "--once")
        for name in left:
            if name not in options:
                raise Usage("unknown argument %s; known are %s" % (name, ", ".join([*options, "--once"])))
            options[name] = next(left, "")
        if self.once and not options["--pid"]:
            options["--pid"] = "0"  # no process
        if not options["--pid"].isdigit():
            raise Usage("--pid must be a process id, got %r" % options["--pid"])
        self.pid, self.root, self.record = int(options["--pid"]), options["--root"], options["--record"]
        self.interval_ns = _seconds("--interval", options["--interval"])
        self.block_ns = _seconds("--blocks", options["--blocks"]) if options["--blocks"] else 0
        try:
            self.wishes = [Wish(word, self.interval_ns) for word in options["--sources"].split(",")]
        except ValueError as problem:
            raise Usage("--sources: %s" % problem) from None
        cores = [core for core in options["--cores"].split(",") if core]
        if not all(core.isdigit() for core in cores):
            raise Usage("--cores must be numbers, got %r" % options["--cores"])
        self.cores = [int(core) for core in cores]


def _seconds(name: str, text: str) -> int:
    try:
        return nanoseconds(text)
    except ValueError as problem:
        raise Usage("%s %s" % (name, problem)) from None
