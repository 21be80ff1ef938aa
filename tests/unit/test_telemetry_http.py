"""The request that asks a smart plug: every answer, and none, has a reason within its deadline."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry import http_get as http_module
from orchestrator.telemetry.http_get import LIMIT_BYTES, http_get
from orchestrator.telemetry.machine import Machine
from orchestrator.telemetry.reading import REASONS, Unavailable
from orchestrator.telemetry.shelly import Shelly
from orchestrator.telemetry.tasmota import Tasmota
from tests.support import plug_simulator as simulator
from tests.support.plug_simulator import Load, nobody, plug, raw, response

ROOT = Path(__file__).parent.parent.parent


def said(source):
    """Power and energy, or the reasons for having none."""
    return [r.reason if r.value is None else r.value for r in source.read()]


@pytest.mark.parametrize("kind", [Shelly, Tasmota])
@pytest.mark.parametrize(
    "parts, reason",
    [
        ([b""], "parse"),
        ([b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"], "parse"),
        ([response(200, b"<html><form action=/login>")], "parse"),
        ([response(302, b"", b"Location: /login")], "parse"),
        ([response(401, b"", b"WWW-Authenticate: Digest")], "permission"),
        ([response(403, b"")], "permission"),
        ([response(404, b"No handler for Switch.GetStatus")], "no_sensor"),
        ([response(500, b'{"code":-105,"message":"Argument \'id\', value 3 not found!"}')], "io_error"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{"], "parse"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"], "parse"),
        ([b"HTTP/1.1 OK\r\n\r\n{}"], "parse"),
        ([response(200, b" " * 2 * LIMIT_BYTES)], "parse"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0\r\n\r\n"], "parse"),
        ([response(200, b"[" * 60000)], "parse"),
        ([response(200, b"9" * 60000)], "parse"),
        ([response(200, b"\xff\xfe{}")], "parse"),
        ([response(200, b"{}")], "parse"),
        ([response(200, b"null")], "parse"),
    ],
)
def test_what_is_no_plug_has_a_reason(kind, parts, reason):
    with raw(*parts) as url:
        assert said(kind(Machine(), url)) == [reason, reason]


def within(timeout_s):
    return lambda host, port, path, _left_s: http_get(host, port, path, timeout_s)


@pytest.mark.parametrize("kind", [Shelly, Tasmota])
def test_nobody_there(kind):
    assert said(kind(Machine(), nobody())) == ["no_sensor"] * 2
    assert said(kind(Machine(), "http://no-such-plug.invalid")) in (["no_sensor"] * 2, ["timeout"] * 2)


@pytest.mark.parametrize("kind", [Shelly, Tasmota])
@pytest.mark.parametrize("parts", [[], [b"HTTP/1.1 200 OK\r\n\r\n{"]])
def test_one_that_says_no_more_is_late(kind, parts):
    with raw(*parts, hold=True) as url:
        began = time.monotonic()
        assert said(kind(Machine(), url, fetch=within(0.2))) == ["timeout"] * 2
        assert 0.2 <= time.monotonic() - began < 0.6


def test_a_byte_now_and_then_does_not_extend_the_deadline():
    answer = response(200, b'{"id":0,"apower":1.0}')
    with raw(*[answer[i : i + 1] for i in range(len(answer))], pause_s=0.05) as url:
        began = time.monotonic()
        assert said(Shelly(Machine(), url, fetch=within(0.4))) == ["timeout"] * 2
        assert time.monotonic() - began < 0.8


def test_the_deadline_of_a_plug_is_two_seconds():
    with raw(hold=True) as url:
        began = time.monotonic()
        assert said(Shelly(Machine(), url)) == ["timeout"] * 2
        assert 1.9 < time.monotonic() - began < 3


def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words: time.sleep(0.6) or [])
    began = time.monotonic()
    with pytest.raises(Unavailable, match="timeout"):
        http_get("plug.local", 80, "/", 0.2)
    assert time.monotonic() - began < 0.6


def test_chunks_and_pieces_are_put_together():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw(
        head + b'9\r\n{"id":0,"\r\n', b'e;x=1\r\napower":12.5}\n\r\n0\r\n\r\n', hold=True, pause_s=0.02
    ) as url:
        assert said(Shelly(Machine(), url)) == [12.5, "not_supported"]


def test_an_answer_may_end_with_the_connection():
    with raw(b'HTTP/1.0 200 OK\r\nServer: x\r\n\r\n{"id":0,"apower":12.5}') as url:
        assert said(Shelly(Machine(), url))[0] == 12.5


@given(st.binary(max_size=200))
def test_whatever_a_server_sends_is_an_answer_or_a_reason(data):
    try:
        assert isinstance(http_module._body(data), bytes)
    except Unavailable as problem:
        assert problem.reason in REASONS
    assert http_module._complete(data) in (True, False)


def test_a_plug_costs_little_memory():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from orchestrator.telemetry.machine import Machine\n"
        "import json\n"
        "def rss():\n"
        "    return int(open('/proc/self/status').read().partition('VmRSS:')[2].split()[0])\n"
        "before = rss()\n"
        "from orchestrator.telemetry.shelly import Shelly\n"
        "assert Shelly(Machine(), sys.argv[2]).read()[0].value is not None\n"
        "print(rss() - before)\n"
    )
    with plug(simulator.shelly, Load([(1.0, 40.0)])) as url:
        command = [sys.executable, "-S", "-E", "-s", "-c", script, str(ROOT), url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2000, "kB; http.client alone would be 6500"
