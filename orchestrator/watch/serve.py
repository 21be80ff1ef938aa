"""The browser's face: the page over HTTP, made when somebody asks and at no other time."""

from __future__ import annotations

import errno
import select
import socket
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.watch.follow import Follower
from orchestrator.watch.page import render
from orchestrator.watch.terminal import PAUSE_S

LINGER_S = 30.0  # after the run is finished, so that every browser sees the last page
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def address(text: str) -> tuple[str, int]:
    """``HOST:PORT`` (an IPv4 address or a name). Raises InferometerError on anything else."""
    host, _, port = text.rpartition(":")
    if not host or not host.isascii() or not (len(port) < 6 and port.isdecimal() and int(port) < 65536):
        raise InferometerError(f"--serve {text[:60]!r}: write HOST:PORT, like 127.0.0.1:8765 or 0.0.0.0:8765")
    return host, int(port)


def serve(
    follower: Follower, at: tuple[str, int], say: Callable[[str], None], linger_s: float = LINGER_S
) -> None:
    """Answer until the run is finished and ``linger_s`` longer. Raises InferometerError when it cannot."""
    try:
        server = _Server(at, _handler(follower))
    except OSError as problem:
        fix = (
            "name an address of this machine, like 127.0.0.1 or 0.0.0.0"
            if isinstance(problem, socket.gaierror) or problem.errno == errno.EADDRNOTAVAIL
            else "choose another port, or stop what holds it"
        )
        raise InferometerError(f"--serve {at[0]}:{at[1]}: {problem.strerror}; {fix}") from None
    with server:
        say(f"http://{at[0]}:{server.server_address[1]}/ shows the run; Ctrl+C ends this and not the bench")
        end_s = None
        while end_s is None or time.monotonic() < end_s:
            # Looked at once somebody has asked: the page is as new as the folder.
            asked, _, _ = select.select([server], [], [], PAUSE_S)
            follower.look()
            if asked:
                server.handle_request()
            if end_s is None and follower.state and follower.state.finished:
                end_s = time.monotonic() + linger_s


class _Server(HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that left in the middle is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _handler(follower: Follower) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 2.0  # whoever connects and says nothing keeps nobody waiting longer

        def do_GET(self) -> None:
            """The page; there is no other."""
            if self.path != "/":
                self.send_error(404)
                return
            content = render(follower.state, str(follower.folder), time.time()).encode()
            self.send_response(200)
            for name, value in {**_HEADERS, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *given: object) -> None:
            """Nobody reads a log of refreshes."""

    return Handler
