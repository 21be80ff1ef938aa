"""A container's three streams: the request in, the multiplexed output apart, and its end noticed."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from orchestrator.engines.launch import Launch, Sink

GRACE_S = 10.0
# After the end what was still on its way arrives at once.
_QUIET_S = 1.0


@contextmanager
def attached(container: Any, stdin_only: bool = False) -> Iterator[socket.socket]:
    """All three streams of a container that is not started yet, or the first; closed with the block."""
    out = int(not stdin_only)
    raw = container.attach_socket(params={"stdin": 1, "stdout": out, "stderr": out, "stream": 1})
    connection: socket.socket = getattr(raw, "_sock", raw)
    try:
        yield connection
    finally:
        raw.close()  # a file above the socket, which would hold it open
        connection.close()


class End:
    """A socket that ends when the container does.

    The Engine may keep an attached stream open after the end of a runner that left input unread.
    """

    def __init__(self, container: Any, timeout_s: float):
        self.socket, ours = socket.socketpair()
        self._thread = threading.Thread(target=self._wait, args=(container, timeout_s, ours), daemon=True)
        self._thread.start()

    @staticmethod
    def _wait(container: Any, timeout_s: float, ours: socket.socket) -> None:
        import docker.errors
        import requests

        with ours, suppress(docker.errors.DockerException, requests.RequestException):
            container.wait(timeout=timeout_s + 2 * GRACE_S)

    def close(self) -> None:
        """After the container is gone."""
        self._thread.join()
        self.socket.close()


def pump(connection: socket.socket, end: socket.socket, launch: Launch, sink: Sink) -> bool:
    """Feed the request, drain the multiplexed stream; True when the deadline came first.

    ``end`` becomes readable when the container has ended.
    """
    deadline = time.monotonic() + launch.timeout_s
    connection.setblocking(False)
    request: memoryview | None = memoryview(launch.request)
    sources, frames = [connection, end], Frames()
    while True:
        left = deadline - time.monotonic() if end in sources else _QUIET_S
        if left <= 0:
            return True
        readable, writable, _ = select.select(sources, [] if request is None else [connection], [], left)
        if not (readable or writable):
            return end in sources
        if request is not None and writable:
            request = feed(connection, request)
        if connection in readable:
            data = _receive(connection)
            if not data:
                return False
            for stream, part in frames.feed(data):
                sink.write(stream, part)
            if sink.overflow:
                return False
        if end in readable:
            sources, request = [connection], None


def feed(connection: socket.socket, request: memoryview) -> memoryview | None:
    """Send what fits; the rest. After the last byte the runner's standard input ends, and nothing is left."""
    try:
        rest = request[connection.send(request) :]
        if rest:
            return rest
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it died before reading; its exit code tells
    return None


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except ConnectionResetError:
        return b""


class Frames:
    """Docker's attach format: 8 bytes of header (stream, 3 zeros, big-endian length), then payload.

    Source: Docker Engine API, "Attach to a container", Stream format.
    """

    def __init__(self) -> None:
        self._header = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Payload parts as soon as they are there, with their stream number."""
        while data:
            if self._left == 0:
                take = 8 - len(self._header)
                self._header, data = self._header + data[:take], data[take:]
                if len(self._header) < 8:
                    return
                self._stream = self._header[0]
                self._left = int.from_bytes(self._header[4:], "big")
                self._header = b""
                continue
            part, data = data[: self._left], data[self._left :]
            self._left -= len(part)
            yield self._stream, part
