"""One small HTTP request, for smart plugs: ``http.client`` would cost 6.5 MB, a socket costs 0.3.

HTTP/1.0, so that a server neither keeps the connection nor sends in chunks; one that sends chunks all the
same is understood. No redirect is followed: a plug has none, a login page has.
"""

import contextlib
import errno

from .machine import monotonic_ns, reason_of
from .reading import Unavailable

LIMIT_BYTES = 1 << 16
_REQUEST = "GET %s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
_REFUSED = {401: "permission", 403: "permission", 404: "no_sensor"}
_NOBODY = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EADDRNOTAVAIL)


def http_get(host: str, port: int, path: str, timeout_s: float) -> bytes:
    """The body of a 200 answer. Raises Unavailable: ``no_sensor`` where nobody listens or for 404.

    ``timeout`` when name, connection and answer together take longer; ``permission`` for 401 and 403;
    ``parse`` for what is no such answer or exceeds 64 KiB; ``io_error`` for the rest.
    """
    import socket

    until_ns = monotonic_ns() + int(timeout_s * 1e9)
    family, address = _resolve(host, port, until_ns)
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(_left_s(until_ns))
        connection.connect(address)
        name = "[%s]" % host if ":" in host else host
        connection.sendall((_REQUEST % (path, "%s:%d" % (name, port))).encode("ascii"))
        data = b""
        while not _complete(data):
            # The whole has one deadline: a byte now and then does not extend it.
            connection.settimeout(_left_s(until_ns))
            chunk = connection.recv(LIMIT_BYTES)
            if not chunk:
                break
            data += chunk
            if len(data) > LIMIT_BYTES:
                raise Unavailable("parse")
    except socket.timeout:
        raise Unavailable("timeout") from None
    except UnicodeError:
        raise Unavailable("no_sensor") from None
    except OSError as problem:
        raise Unavailable("no_sensor" if problem.errno in _NOBODY else reason_of(problem)) from None
    finally:
        connection.close()
    return _body(data)


def _left_s(until_ns: int) -> float:
    left_ns = until_ns - monotonic_ns()
    if left_ns <= 0:
        raise Unavailable("timeout")
    return left_ns / 1e9


def _resolve(host: str, port: int, until_ns: int) -> "tuple[int, tuple[str, int]]":
    """Family and address. A name server has no deadline of ours, so we do not wait for it in person."""
    import socket
    import threading

    answers = []  # type: list[list[tuple[int, tuple[str, int]]]]

    def ask() -> None:
        found = []
        with contextlib.suppress(OSError, UnicodeError):
            for family, _kind, _protocol, _name, address in socket.getaddrinfo(host, port):
                found.append((int(family), address))
        # Plugs speak version 4; a name may have an address of version 6 that leads elsewhere.
        answers.append(sorted(found, key=lambda pair: pair[0] != socket.AF_INET))  # type: ignore[arg-type]

    if host.replace(".", "").isdigit() or ":" in host:
        ask()  # a number: nobody is asked
    else:
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(_left_s(until_ns))
    if not answers:
        raise Unavailable("timeout")
    if not answers[0]:
        raise Unavailable("no_sensor")
    return answers[0][0]


def _head(data: bytes) -> "tuple[int, dict[bytes, bytes], bytes]":
    """Status, lower-case headers and what follows them. Raises ValueError."""
    head, end, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    words = first.split(None, 2)
    if not end or len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        raise ValueError(first)
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    return int(words[1]), headers, body


def _is_chunked(headers: "dict[bytes, bytes]") -> bool:
    return headers.get(b"transfer-encoding", b"").lower() == b"chunked"


def _complete(data: bytes) -> bool:
    """Whether the answer says that there is no more to come; else it lasts until the server closes."""
    if b"\r\n\r\n" not in data:
        return False
    try:
        _, headers, body = _head(data)
        if _is_chunked(headers):
            return body.endswith(b"0\r\n\r\n")
        return b"content-length" in headers and len(body) >= int(headers[b"content-length"])
    except ValueError:
        return True  # more of it would not make it an answer


def _body(data: bytes) -> bytes:
    try:
        status, headers, body = _head(data)
        if status != 200:
            raise Unavailable(_REFUSED.get(status, "parse" if 300 <= status < 400 else "io_error"))
        if _is_chunked(headers):
            return _joined(body)
        length = int(headers.get(b"content-length", b"%d" % len(body)))
    except ValueError:
        raise Unavailable("parse") from None
    if not 0 <= length <= len(body):
        raise Unavailable("parse")  # it was cut off
    return body[:length]


def _joined(body: bytes) -> bytes:
    """The chunks' content. Raises ValueError for a chunk that is not whole."""
    whole = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if length == 0:
            return whole
        if length < 0 or rest[length : length + 2] != b"\r\n":
            raise ValueError(size)
        whole += rest[:length]
        body = rest[length + 2 :]
