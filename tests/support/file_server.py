"""A real HTTP server with one file, as well or as badly behaved as a test wants it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server does; tests change it between requests."""

    content: bytes
    etag: str | None = '"one"'
    modified: str | None = None
    ranges: bool = True
    ignores_if_range: bool = False
    says_length: bool = True
    status: int = 200
    cuts: list[int] = field(default_factory=list)  # bytes of the body to send before hanging up, by request
    url: str = ""
    asked: list[str | None] = field(default_factory=list)  # the Range of each request


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """The site at ``site.url`` on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            """The file, or its rest."""
            wish = self.headers.get("Range")
            site.asked.append(wish)
            if site.status != 200:
                self.send_error(site.status)
                return
            names = (site.etag, site.modified)
            match = re.fullmatch(r"bytes=(\d+)-", wish or "")
            condition = self.headers.get("If-Range")
            same = condition is None or condition in names or site.ignores_if_range
            begin = int(match[1]) if match and site.ranges and same else 0
            if begin and begin >= len(site.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(site.content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = site.content[begin:]
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header(
                    "Content-Range", f"bytes {begin}-{len(site.content) - 1}/{len(site.content)}"
                )
            for name, value in (("ETag", site.etag), ("Last-Modified", site.modified)):
                if value:
                    self.send_header(name, value)
            if site.says_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}/file.bin"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
