"""Which plug is at an address."""

from __future__ import annotations

import pytest

from orchestrator.domain import InferometerError
from orchestrator.meter import source_of
from tests.support import plug_simulator as simulator
from tests.support.plug_simulator import Load, nobody, plug, raw, response

LOAD = Load([(1.0, 40.0)])


@pytest.mark.parametrize(("answer", "kind"), [(simulator.shelly, "shelly"), (simulator.tasmota, "tasmota")])
def test_a_plug_is_asked_which_it_is(answer: simulator.Answer, kind: str) -> None:
    with plug(answer, LOAD) as url:
        assert source_of(url) == f"{kind}={url}"
        assert source_of(f"{url}/?id=1") == f"{kind}={url}/?id=1"


def test_generation_1() -> None:
    first = b'{"type":"SHPLG-S","mac":"7C87CE000000","auth":false,"fw":"20230913-113421/v1.14.0"}'
    with raw(response(200, first)) as url:
        assert source_of(url) == f"shelly={url}"


def test_a_tasmota_that_wants_a_password() -> None:
    with raw(response(401, b'{"WARNING":"Need user=<username>&password=<password>"}')) as url:
        assert source_of(url) == f"tasmota={url}"


def test_whoever_named_the_kind_is_not_asked_about() -> None:
    assert source_of("tasmota=http://192.0.2.1") == "tasmota=http://192.0.2.1"


@pytest.mark.parametrize(
    "meter", ["", "192.168.1.5", "https://plug", "http://", "fritz=http://plug", "http://a,http://b"]
)
def test_what_is_no_address(meter: str) -> None:
    with pytest.raises(InferometerError, match=r"no address of a plug; write http://192\.168\.1\.5"):
        source_of(meter)


@pytest.mark.parametrize(
    "part",
    [
        response(200, b"<html>"),
        response(200, b"[]"),
        response(200, b"{}"),
        response(200, b"[" * 60000),
        response(401, b"<html>router"),
        response(404, b""),
        response(302, b"", b"Location: /shelly"),
        b"SSH-2.0\r\n\r\n",
    ],
)
def test_another_server_is_no_plug(part: bytes) -> None:
    with (
        raw(part) as url,
        pytest.raises(InferometerError, match=f"no Shelly or Tasmota plug answers at {url}"),
    ):
        source_of(url)


def test_nobody_there() -> None:
    with pytest.raises(InferometerError, match="or name the kind: --meter shelly=http"):
        source_of(nobody())
