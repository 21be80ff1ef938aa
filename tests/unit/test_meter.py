"""What a plug's address may be."""

from __future__ import annotations

import pytest

from orchestrator.domain import InferometerError
from orchestrator.engines import observer
from orchestrator.meter import candidates
from orchestrator.power import of_machine
from tests.support import plug_simulator as simulator
from tests.support.plug_simulator import Load, nobody, plug, raw, response

LOAD = Load([(1.0, 40.0)])


def source_of(meter: str) -> str:
    """By this machine's telemetry."""
    (source,) = of_machine(observer.sense, (), (meter,))[0]
    return source


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(simulator.shelly, "shelly"), (simulator.shelly_1, "shelly"), (simulator.tasmota, "tasmota")],
)
def test_a_plug_is_asked_which_it_is(answer: simulator.Answer, kind: str) -> None:
    with plug(answer, LOAD) as url:
        assert source_of(url) == f"{kind}={url}"


def test_a_tasmota_that_wants_a_password() -> None:
    with (
        raw(response(401, b'{"WARNING":"Need user=<username>&password=<password>"}')) as url,
        pytest.raises(InferometerError, match="tasmota: permission .take the password off"),
    ):
        source_of(url)


def test_a_relay_without_a_meter() -> None:
    with (
        plug(simulator.shelly_relay, LOAD) as url,
        pytest.raises(InferometerError, match="shelly: not_supported .use a plug that measures"),
    ):
        source_of(url)


def test_whoever_named_the_kind_is_not_asked_about() -> None:
    assert candidates("tasmota=http://192.0.2.1") == ("tasmota=http://192.0.2.1",)


@pytest.mark.parametrize(
    "meter", ["", "192.168.1.5", "https://plug", "http://", "fritz=http://plug", "http://a,http://b"]
)
def test_what_is_no_address(meter: str) -> None:
    with pytest.raises(InferometerError, match=r"no address of a plug; write http://192\.168\.1\.5"):
        candidates(meter)


def test_nobody_there() -> None:
    with pytest.raises(InferometerError) as caught:
        source_of(nobody())
    line = str(caught.value)
    assert "gives no power: shelly, tasmota: no_sensor (look at the plug's address" in line
    assert line.count("no_sensor") == 1


def test_another_server_is_no_plug() -> None:
    with raw(response(200, b"<html>")) as url, pytest.raises(InferometerError, match="gives no power"):
        source_of(url)
