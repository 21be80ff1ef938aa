"""One telemetry point in the words that every consumer knows.

The vocabularies are closed: a source that needs another word adds it here, with its meaning.
"""

UNITS = {
    "bytes": "bytes",
    "ns": "nanoseconds",
    "hz": "hertz",
    "c": "degrees Celsius",
    "w": "watts",
    "j": "joules",
    "v": "volts",
    "count": "events since some start",
    "number": "how many, of a setting",
    "bits": "a word whose bits have meanings of their own",
    "text": "a word, such as a governor's name",
}
SCOPES = {
    "container": "all that a container's cgroup holds, page cache included",
    "process": "one process",
    "process_tree": "the observed process and its descendants",
    "host": "the whole machine",
    "clock_domain": "the cores that share one clock",
    "thermal_zone": "what the zone's type names",
    "cpu_package": "the processor package",
    "cpu_cores": "one or more cores of a processor package",
    "dram": "the memory modules of a processor package",
    "platform": "what the firmware calls the platform (psys): package, memory and more",
    "gpu_board": "the graphics board",
    "soc_rails": "the regulated rails of a system on chip",
    "module_input": "the input of a compute module, without its carrier",
    "board_input": "the input of a board",
    "supply_rail": "one rail inside a board, part of what its input shows",
    "supply_line": "whatever line a user's own sensor sits in",
    "wall": "the mains side of the power supply",
}
METHODS = {
    "sampled": "the value at the moment of reading",
    "counter": "a total since some start that never falls: only differences mean anything",
    "peak": "the highest value since the thing began or since it was reset, kept by the kernel",
    "setting": "what was configured, not what happens",
    "estimated": "computed from a model of the hardware",
}
REASONS = {
    "no_sensor": "this machine or this cgroup has no such file",
    "permission": "the file is there and refuses us",
    "eagain": "the driver says: try again",
    "enodata": "the driver is there and has no data",
    "io_error": "reading failed in another way",
    "parse": "what was read is not what was expected",
    "out_of_range": "a number that cannot be true",
    "stale": "what it describes has ended, or the value has not moved where it must",
    "timeout": "no answer within the deadline",
    "not_supported": "the kernel has the word and not the figure, or the figure would be of something else",
}


class Unavailable(Exception):
    """There is no value; ``reason`` is a word of :data:`REASONS`."""

    def __init__(self, reason: str) -> None:
        Exception.__init__(self, reason)
        self.reason = reason


class Channel:
    """What stays the same in all readings of one source; values outside low..high cannot be true."""

    __slots__ = ("source", "scope", "method", "unit", "low", "high")

    def __init__(
        self,
        source: str,
        scope: str,
        method: str,
        unit: str,
        low: "float | None" = None,
        high: "float | None" = None,
    ) -> None:
        if scope not in SCOPES or method not in METHODS or unit not in UNITS:
            raise ValueError("%s: unknown scope, method or unit: %s %s %s" % (source, scope, method, unit))
        self.source, self.scope, self.method, self.unit = source, scope, method, unit
        self.low, self.high = low, high

    def holds(self, value: "float | str") -> bool:
        """Whether the value can be true."""
        if isinstance(value, str):
            return self.unit == "text"
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class Reading:
    """A value, or None with a reason, and when it was read: CLOCK_MONOTONIC before and after, in ns."""

    __slots__ = ("channel", "value", "reason", "t0_ns", "t1_ns")

    def __init__(
        self, channel: Channel, value: "float | str | None", reason: "str | None", t0_ns: int, t1_ns: int
    ) -> None:
        if value is not None and not channel.holds(value):
            value, reason = None, "out_of_range"
        if (value is None) != (reason in REASONS):
            raise ValueError("%s: value %r with reason %r" % (channel.source, value, reason))
        self.channel, self.value, self.reason, self.t0_ns, self.t1_ns = channel, value, reason, t0_ns, t1_ns

    def to_json(self) -> "dict[str, object]":
        """The line's object."""
        channel = self.channel
        return {
            "type": "reading",
            "source": channel.source,
            "scope": channel.scope,
            "method": channel.method,
            "unit": channel.unit,
            "value": self.value,
            "reason": self.reason,
            "t0_ns": self.t0_ns,
            "t1_ns": self.t1_ns,
        }
