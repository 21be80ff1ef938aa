"""What jetson-stats says, in our words: totals that are none, zones that are off, failures with a fix."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from orchestrator.telemetry import jtop_client, jtop_facts
from orchestrator.telemetry.reading import REASONS, Unavailable

RAIL = {
    "volt": 5072,
    "curr": 272,
    "warn": 32760,
    "crit": 32760,
    "power": 1379,
    "online": True,
    "avg": 1379,
}
INPUT = {**RAIL, "volt": 5056, "curr": 939, "power": 4747, "avg": 4747, "name": "VDD_IN"}
RAM = {"tot": 7803492, "used": 2520064, "free": 3971000, "cached": 1, "shared": 0, "lfb": 3}


def told_by(**changed):
    """As a started client has it."""
    fields = {
        "board": {"hardware": {"Model": "A board", "L4T": "36.4.3", "Module": "", "Serial Number": "1421"}},
        "nvpmodel": SimpleNamespace(id=2, name="MAXN_SUPER", models=["15W", "25W", "MAXN_SUPER"]),
        "jetson_clocks": False,
        "power": {"rail": {"VDD_SOC": RAIL}, "tot": INPUT},
        "temperature": {"cpu": {"temp": 47.031, "online": True}},
        "memory": {"RAM": RAM},
        "uptime": timedelta(seconds=1e9),
    }
    return SimpleNamespace(**{**fields, **changed})


def described(**changed):
    return jtop_facts.described(told_by(**changed), "4.3.2", 1, 2)


def test_a_whole_answer():
    assert described() == {
        "type": "jtop",
        "reason": None,
        "said": None,
        "fix": None,
        "client": "4.3.2",
        "service": "4.3",
        "hardware": {"Model": "A board", "L4T": "36.4.3"},
        "nvpmodel": {"id": 2, "name": "MAXN_SUPER", "models": ["15W", "25W", "MAXN_SUPER"]},
        "jetson_clocks": False,
        "power": {"total": {"name": "VDD_IN", "w": 4.747}, "rails": {"VDD_SOC": 1.379}},
        "temperature_c": {"cpu": 47.031},
        "ram_bytes": {"total": 7990775808, "used": 2580545536, "free": 4066304000},
        "reasons": {},
        "t0_ns": 1,
        "t1_ns": 2,
    }


@pytest.mark.parametrize(
    "total, expected, reason",
    [
        ({"power": 4747, "name": "POM_5V_IN"}, {"name": "POM_5V_IN", "w": 4.747}, None),
        ({"power": 2210, "avg": 2210}, None, "not_supported"),  # the sum of what was left
        ({"power": 9000, "name": "VIN"}, None, "not_supported"),  # with the carrier: another scope
        ({"power": -1, "name": "VDD_IN"}, None, "out_of_range"),
        ({"power": float("nan"), "name": "VDD_IN"}, None, "out_of_range"),
        ({"power": None, "name": "VDD_IN"}, None, "parse"),
    ],
)
def test_a_total_is_one_only_by_its_name(total, expected, reason):
    found = described(power={"rail": {"VDD_SOC": RAIL}, "tot": total})
    assert found["power"] == {"total": expected, "rails": {"VDD_SOC": 1.379}}
    assert found["reasons"].get("power.total") == reason


@pytest.mark.parametrize(
    "changed, field, reason",
    [
        ({"power": {}}, "power", "no_sensor"),
        ({"power": {"rail": {}}}, "power", "parse"),
        ({"temperature": {}}, "temperature_c", "no_sensor"),
        ({"nvpmodel": None}, "nvpmodel", "no_sensor"),
        ({"jetson_clocks": None}, "jetson_clocks", "no_sensor"),
        ({"board": {"hardware": {"Model": "", "Serial Number": "1421"}}}, "hardware", "no_sensor"),
        ({"board": {}}, "hardware", "parse"),
        ({"memory": {}}, "ram_bytes", "parse"),
        ({"memory": {"RAM": {"tot": 1, "used": 1}}}, "ram_bytes", "parse"),
    ],
)
def test_what_is_missing_has_a_reason_and_takes_nothing_along(changed, field, reason):
    found = described(**changed)
    assert (found[field], found["reasons"][field]) == (None, reason)
    assert [name for name in jtop_facts.FIELDS if found[name] is None] == [field]


@pytest.mark.parametrize(
    "zone, reason",
    [
        ({"temp": -256, "online": False}, "enodata"),
        ({"temp": -256}, "out_of_range"),
        ({"temp": 126.0, "online": True}, "out_of_range"),
        ({"temp": "hot", "online": True}, "parse"),
    ],
)
def test_what_is_no_temperature(zone, reason):
    found = described(temperature={"cv0": zone, "cpu": {"temp": 40.0, "online": True}})
    assert found["temperature_c"] == {"cv0": None, "cpu": 40.0}
    assert found["reasons"] == {"temperature_c.cv0": reason}


def test_a_memory_that_cannot_be():
    found = described(memory={"RAM": {"tot": float("inf"), "used": -1, "free": 1}})
    assert found["ram_bytes"] == {"total": None, "used": None, "free": 1024}
    assert found["reasons"] == {"ram_bytes.total": "out_of_range", "ram_bytes.used": "out_of_range"}


anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(
                ["rail", "tot", "name", "power", "temp", "online", "RAM", "used", "free", "hardware", "L4T"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(power=anything, temperature=anything, memory=anything, board=anything)
def test_whatever_it_says_each_gap_has_a_reason(power, temperature, memory, board):
    found = described(power=power, temperature=temperature, memory=memory, board=board)
    json.dumps(found, allow_nan=False)
    assert set(found["reasons"].values()) <= set(REASONS)
    for field in jtop_facts.FIELDS:
        assert (found[field] is None) == (field in found["reasons"])
    if found["power"]:
        total = found["power"]["total"]
        assert (total is None) == ("power.total" in found["reasons"])
        for name, w in found["power"]["rails"].items():
            assert (w is None) == (f"power.rails.{name}" in found["reasons"])
            assert w is None or 0 <= w < 1000.1
    for name, count in (found["ram_bytes"] or {}).items():
        assert (count is None) == (f"ram_bytes.{name}" in found["reasons"])
        assert count is None or isinstance(count, int) and count >= 0
    for name, c in (found["temperature_c"] or {}).items():
        assert (c is None) == (f"temperature_c.{name}" in found["reasons"])
        assert c is None or -40 <= c <= 125


class JtopException(Exception):
    """As jtop's: one class for everything."""


@pytest.mark.parametrize(
    "problem, reason, fix",
    [
        (
            JtopException("The jtop.service is not active. Please run:\nsudo systemctl restart jtop.service"),
            "no_sensor",
            "systemctl restart",
        ),
        (
            JtopException("I can't access jtop.service.\nPlease logout or reboot this board."),
            "permission",
            "usermod -aG jtop",
        ),
        (JtopException("Mismatch of Python versions between library and service"), "not_supported", "pip3"),
        (JtopException("Authentication with jetson-stats server failed"), "not_supported", "pip3"),
        (JtopException("Lost connection with jtop server"), "stale", "systemctl restart"),
        (JtopException("Error connection"), "stale", "systemctl restart"),
        (BrokenPipeError(32, "Broken pipe"), "stale", "systemctl restart"),
        (ConnectionResetError(104, "Connection reset by peer"), "stale", "systemctl restart"),
        (EOFError(), "stale", "systemctl restart"),
        (Unavailable("stale"), "stale", "systemctl restart"),
        (ImportError("No module named 'smbus2'"), "no_sensor", "pip3 install"),
        (OSError(28, "No space left on device"), "io_error", "systemctl restart"),
        (RuntimeError("something new"), "io_error", "systemctl restart"),
    ],
)
def test_each_failure_has_a_reason_and_one_line_that_helps(problem, reason, fix):
    def load(name):
        raise problem

    found = jtop_client.ask(load)
    assert found["reason"] == reason
    assert fix in found["fix"] and "\n" not in found["fix"]
    assert found["said"] and "\n" not in found["said"]
    assert {found[field] for field in jtop_facts.FIELDS} == {None}
    assert set(found["reasons"]) == set(jtop_facts.FIELDS)


def test_a_mismatch_tells_both_versions():
    text = (
        "Mismatch version jtop service: [7.2.2] and client: [4.3.2]. Please run:\n\n"
        "sudo systemctl restart jtop.service"
    )
    found = asked(start=lambda: (_ for _ in ()).throw(JtopException(text)))
    assert (found["reason"], found["client"], found["service"]) == ("not_supported", "4.3.2", "7.2.2")
    assert "client" not in found["reasons"] and "hardware" in found["reasons"]


def asked(start=lambda: None, ok=lambda: True, **changed):
    client = told_by(start=start, ok=ok, **changed)
    module = SimpleNamespace(__version__="4.3.2", jtop=lambda interval: client)
    return jtop_client.ask(lambda name: module)


def test_data_from_before_the_question_is_waited_out():
    told = told_by()
    news = [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=1e9)]
    told.uptime = timedelta(0)
    told.start = lambda: None
    told.ok = lambda: setattr(told, "uptime", news.pop(0))
    module = SimpleNamespace(__version__="4.3.2", jtop=lambda interval: told)
    found = jtop_client.ask(lambda name: module)
    assert (found["reason"], news) == (None, [])


def test_data_that_does_not_move_is_stale():
    assert asked(uptime=timedelta(seconds=1))["reason"] == "stale"
