"""Smart plugs: their figures are the load's, and every fault has its reason, never a number."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.machine import Machine
from orchestrator.telemetry.plug import address
from orchestrator.telemetry.reading import REASONS, Unavailable
from orchestrator.telemetry.shelly import Shelly
from orchestrator.telemetry.tasmota import Tasmota
from tests.support import plug_simulator as simulator
from tests.support.plug_simulator import Load, plug

STEADY = [(1.0, 40.0)]
KINDS = [
    (Shelly, simulator.shelly),
    (Shelly, simulator.shelly_meter),
    (Shelly, simulator.shelly_1),
    (Tasmota, simulator.tasmota),
]


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s


def said(source):
    """Power and energy, or the reasons for having none."""
    power, energy = source.read()
    assert power.channel.source.endswith(".power")
    assert energy.channel.source.endswith(".energy")
    assert power.t0_ns <= power.t1_ns
    return [r.reason if r.value is None else r.value for r in (power, energy)]


def told(kind, body):
    """What a plug is understood to say that answers so."""

    def fetch(host, port, path, timeout_s):
        return body if isinstance(body, bytes) else json.dumps(body).encode()

    return said(kind(Machine(), "http://plug", fetch=fetch))


@pytest.mark.parametrize("kind, answer", KINDS)
def test_the_counter_is_the_integral_of_the_power(kind, answer):
    clock = Clock()
    # Whole watts for 60 s and 6 min: no plug's counter is too coarse for it.
    with plug(answer, Load([(60.0, 60.0), (360.0, 120.0), (1.0, 30.0)], 7200.0, clock)) as url:
        source = kind(Machine(), url)
        readings = []
        for second in range(0, 601, 30):
            clock.s = second + 0.4
            readings.append(said(source))
    powers = [power for power, _ in readings]
    assert powers == [60.0] * 2 + [120.0] * 12 + [30.0] * 7
    total_j = readings[-1][1] - readings[0][1]
    assert total_j == pytest.approx(60 * 60 + 360 * 120 + 180 * 30, abs=3600 if kind is Tasmota else 60)
    assert readings[0][1] == pytest.approx(7200, abs=4)


def test_a_plug_tells_something_new_once_a_second():
    with plug(simulator.shelly, Load([(1.0, 3600.0)])) as url:
        source = Shelly(Machine(), url)
        seen = []
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            seen.append(said(source)[1])
            time.sleep(0.1)
    assert len(set(seen)) in (3, 4)
    assert seen == sorted(seen)
    assert seen[-1] - seen[0] == pytest.approx(3600 * (len(set(seen)) - 1), abs=8)


def test_channels_and_stamps():
    with plug(simulator.shelly, Load(STEADY)) as url:
        power, energy = Shelly(Machine(), url).read()
    assert [power.channel.unit, power.channel.scope, power.channel.method] == ["w", "wall", "sampled"]
    assert [energy.channel.unit, energy.channel.scope, energy.channel.method] == ["j", "wall", "counter"]
    assert 0 < power.t1_ns - power.t0_ns < 2e9
    assert (energy.t0_ns, energy.t1_ns) == (power.t0_ns, power.t1_ns)


def test_the_form_that_a_plug_knows_is_asked_first_the_next_time():
    asked = []

    def fetch(host, port, path, timeout_s):
        asked.append(path)
        if path != "/status":
            raise Unavailable("no_sensor")
        return b'{"relays":[],"meters":[{"power":4711.12,"is_valid":true,"total":6472513}]}'

    source = Shelly(Machine(), "http://plug", fetch=fetch)
    assert said(source) == said(source) == [4711.12, 6472513 * 60]
    assert asked == ["/rpc/Switch.GetStatus?id=0", "/rpc/PM1.GetStatus?id=0", "/status", "/status"]


def test_the_second_switch():
    asked = []

    def fetch(host, port, path, timeout_s):
        asked.append((host, port, path))
        return b'{"id":1,"apower":8.9,"aenergy":{"total":6.532}}'

    assert said(Shelly(Machine(), "http://plug:8080/?id=1", fetch=fetch)) == [8.9, 6.532 * 3600]
    assert asked == [("plug", 8080, "/rpc/Switch.GetStatus?id=1")]


def test_a_relay_without_a_meter_is_not_supported():
    with plug(simulator.shelly_relay, Load(STEADY)) as url:
        assert said(Shelly(Machine(), url)) == ["not_supported"] * 2
    assert told(Tasmota, {"StatusSNS": {"Time": "2018-12-03T13:48:08"}}) == ["not_supported"] * 2
    assert told(Tasmota, {"StatusSNS": {"ENERGY": {"Power": [1, 0, 0], "Total": 0}}}) == ["not_supported", 0]


def test_an_old_tasmota_says_in_words_that_it_wants_a_password():
    assert told(Tasmota, {"WARNING": "Need user=<username>&password=<password>"}) == ["permission"] * 2


@pytest.mark.parametrize("kind", [Shelly, Tasmota])
def test_what_can_be_mended_has_its_fix_in_one_line(kind):
    assert set(kind.fixes) <= set(REASONS)
    assert "permission" in kind.fixes
    assert not any("\n" in fix for fix in kind.fixes.values())
    assert kind.slow


@pytest.mark.parametrize(
    "value, reason",
    [
        (float("nan"), "out_of_range"),
        (float("inf"), "out_of_range"),
        (-1.5, "out_of_range"),
        (1e300, "out_of_range"),
        (10**400, "out_of_range"),
        ("12", "parse"),
        (None, "parse"),
        (True, "parse"),
        ([], "parse"),
        ({}, "parse"),
    ],
)
def test_what_cannot_be_true_is_no_number(value, reason):
    assert told(Shelly, {"id": 0, "apower": value, "aenergy": {"total": value}}) == [reason, reason]
    meter = {"relays": [], "meters": [{"is_valid": True, "power": value, "total": value}]}

    def first_generation(host, port, path, timeout_s):
        if path != "/status":
            raise Unavailable("no_sensor")
        return json.dumps(meter).encode()

    assert said(Shelly(Machine(), "http://plug", fetch=first_generation)) == [reason, reason]
    if value != []:
        assert told(Tasmota, {"StatusSNS": {"ENERGY": {"Power": value, "Total": value}}}) == [reason, reason]


@pytest.mark.parametrize(
    "meters, reason",
    [
        ([{"power": 0, "is_valid": False, "total": 0}], "enodata"),
        ([{"power": 0, "total": 0}], "parse"),
        ([], "not_supported"),
        ("none", "parse"),
    ],
)
def test_a_first_generation_meter_that_is_not_well(meters, reason):
    def fetch(host, port, path, timeout_s):
        if path != "/status":
            raise Unavailable("no_sensor")
        return json.dumps({"relays": [], "meters": meters}).encode()

    assert said(Shelly(Machine(), "http://plug", fetch=fetch)) == [reason, reason]


def test_another_switch_than_the_one_that_was_asked_for_is_not_it():
    assert told(Shelly, {"id": 1, "apower": 5, "aenergy": {"total": 5}}) == ["parse"] * 2


@pytest.mark.parametrize(
    "argument, expected",
    [
        ("http://192.168.1.5", ("192.168.1.5", 80, 0)),
        ("http://192.168.1.5/", ("192.168.1.5", 80, 0)),
        ("http://plug.local:8080/?id=1", ("plug.local", 8080, 1)),
        ("http://plug?id=2", ("plug", 80, 2)),
        ("http://[fe80::1]:81", ("fe80::1", 81, 0)),
        ("http://[fe80::1]", ("fe80::1", 80, 0)),
        ("https://plug", None),
        ("plug", None),
        ("http://", None),
        ("http://plug:0", None),
        ("http://plug:http", None),
        ("http://plug:70000", None),
        ("http://plug/?id=-1", None),
        ("http://plug/?user=me", None),
        ("http://me:secret@plug", None),
        ("http://plug/sub", None),
        ("http://pl ug", None),
        ("http://plüg", None),
        ("http://plug\r\nX: y", None),
    ],
)
def test_addresses(argument, expected):
    assert address(argument) == expected


def test_an_address_that_is_none_is_no_sensor():
    assert said(Shelly(Machine(), "smart plug")) == ["no_sensor"] * 2


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "apower", "aenergy", "total", "StatusSNS", "ENERGY", "Power", "Total", "meters"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from([Shelly, Tasmota]), values | st.binary(max_size=60))
def test_whatever_comes_is_a_number_in_range_or_a_reason(kind, body):
    for value in told(kind, body):
        assert value in REASONS if isinstance(value, str) else 0 <= value <= 1e13
