"""The browser's face of a live page: where it answers, and who leaves."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from benchmarks.result_folder import write
from orchestrator.domain import InferometerError
from orchestrator.watch import serve
from orchestrator.watch.follow import Follower


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "run", 1, 1, 50).folder


@pytest.mark.parametrize(
    "text", ["8765", ":8765", "localhost", "host:port", "host:99999", "host:-1", "bück:80"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(InferometerError, match="write HOST:PORT"):
        serve.address(text)


def test_an_address_of_another_machine_is_refused_with_the_way_out(run: Path) -> None:
    with pytest.raises(InferometerError, match=r"203\.0\.113\.9:80: .*name an address of this machine"):
        serve.serve(Follower(run), ("203.0.113.9", 80), lambda line: None)


def test_a_browser_that_leaves_in_the_middle_is_no_news(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without an answer its connection is reset, which HTTPServer tells with a traceback."""
    (run / "summary.json").write_text("{}")

    def leave(line: str) -> None:
        port = int(line.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            browser.send(b"GET / HT")

    serve.serve(Follower(run), ("127.0.0.1", 0), leave, linger_s=0)
    assert capfd.readouterr().err == ""
