"""What smart plugs have in common: one HTTP request gives power and the energy counter."""

import json

from .http_get import http_get
from .machine import Machine, absent, monotonic_ns, parsed
from .reading import Channel, Reading, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Fetch = Callable[[str, int, str, float], bytes]
    # The path with %d for the plug's part, and what makes power (w) and energy (j) of the decoded answer.
    Form = tuple[str, Callable[[object, int], float], Callable[[object, int], float]]

DEADLINE_S = 2.0
HIGH_W, HIGH_J = 1e5, 1e13  # no socket carries more, no plug lives to count more
JOULES_PER_WH = 3600
FIXES = {
    "no_sensor": "look at the plug's address: `curl http://ADDRESS/` must answer from this machine",
    "timeout": "bring the plug nearer to its access point: it must answer within 2 s",
    "permission": "take the password off the plug's web access (it is asked on the local network only)",
    "not_supported": "use a plug that measures power; this one only switches",
}


class Plug:
    """Readings of one plug; a kind of plug names its channels and the forms in which its makes answer."""

    slow = True
    scatter = True
    fixes = FIXES

    def __init__(
        self, machine: Machine, argument: str, name: str, forms: "tuple[Form, ...]", fetch: "Fetch" = http_get
    ) -> None:
        """``argument``: ``http://host[:port][/?id=N]``; one that is not so gives ``no_sensor``."""
        self._machine, self._forms, self._fetch = machine, forms, fetch
        self._place = address(argument)
        self._power = Channel("%s.power" % name, "wall", "sampled", "w", 0, HIGH_W)
        self._energy = Channel("%s.energy" % name, "wall", "counter", "j", 0, HIGH_J)

    def read(self) -> "list[Reading]":
        """Power and energy, stamped around the request."""
        t0_ns = self._machine.now()
        try:
            data, part, power, energy = self._ask()
        except Unavailable as problem:
            t1_ns = self._machine.now()
            return [absent(c, problem.reason, t0_ns, t1_ns) for c in (self._power, self._energy)]
        t1_ns = self._machine.now()
        return [
            parsed(channel, lambda answer, make=make: make(_decoded(answer), part), data, t0_ns, t1_ns)  # type: ignore[misc]
            for channel, make in ((self._power, power), (self._energy, energy))
        ]

    def _ask(self) -> "tuple[bytes, int, Callable[[object, int], float], Callable[[object, int], float]]":
        """The first form that the plug knows, tried first from then on."""
        if self._place is None:
            raise Unavailable("no_sensor")
        host, port, part = self._place
        until_ns = monotonic_ns() + int(DEADLINE_S * 1e9)
        for form in self._forms:
            path, power, energy = form
            left_s = max(0.0, (until_ns - monotonic_ns()) / 1e9)
            try:
                data = self._fetch(host, port, path % part if "%d" in path else path, left_s)
            except Unavailable as problem:
                # 404 says that it knows another form; where nobody listens, the others fail as fast.
                if problem.reason != "no_sensor" or form is self._forms[-1]:
                    raise
                continue
            self._forms = (form,) + tuple(other for other in self._forms if other is not form)
            return data, part, power, energy
        raise Unavailable("no_sensor")


def address(argument: str) -> "tuple[str, int, int] | None":
    """``http://host[:port][/?id=N]`` as host, port and N; None for anything else."""
    scheme, _, rest = argument.partition("://")
    place, _, query = rest.partition("?")
    place = place.rstrip("/")
    name, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        name, port = place, "80"
    name = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    part = query[len("id=") :] if query else "0"
    unfit = not name or any(not "!" <= letter <= "~" or letter in "/@[]" for letter in name)
    if scheme != "http" or unfit or not (port.isdigit() and part.isdigit()):
        return None
    if (query and not query.startswith("id=")) or not 0 < int(port) < 1 << 16:
        return None
    return name, int(port), int(part)


def member(value: object, *names: "str | int") -> object:
    """``value[names[0]][names[1]]...``. Raises LookupError where it is missing, else ValueError."""
    for name in names:
        if not isinstance(value, dict if isinstance(name, str) else list):
            raise ValueError("%r has no %r" % (type(value), name))
        value = value[name]  # type: ignore[index]
    return value


def number(value: object) -> float:
    """The value as it is. Raises ValueError for what is no number; NaN fails the channel's range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("%r is no number" % type(value))
    return value


def _decoded(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("too deep") from None
