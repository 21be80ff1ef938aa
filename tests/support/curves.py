"""Curves of long windows as they are kept in summaries."""

from __future__ import annotations

from orchestrator.domain import Minute, PowerCourse, Sustained

NO_CLOCK = "no clock sensor: cpufreq: no_sensor"
NO_TEMPERATURE = "no temperature sensor: thermal: no_sensor, hwmon: no_sensor"


def hot(minutes: int = 30) -> Sustained:
    """A board that heats, throttles and slows from 31.2 ms to 36.8 ms; a short rest follows."""
    course = [
        Minute(
            number,
            60_000_000_000,
            1800,
            31.2e6 + 5.6e6 * (number - 1) / (minutes - 1),
            2.4e9 - 1e7 * number,
            50.0 + number,
            50.5 + number,
        )
        for number in range(1, minutes + 1)
    ]
    rest = Minute(minutes + 1, 20_000_000, 1, 36.8e6, None, None, None)
    watts = tuple(4.0 + number / 10 for number in range(minutes))
    return Sustained(
        (*course, rest),
        36.8 / 31.2,
        1,
        minutes,
        "cpufreq.policy0.current",
        "thermal.cpu-thermal",
        power=(
            PowerCourse("ina.VDD", "board_input", "sampled", (*watts, None), "0 readings, 10 are needed"),
            PowerCourse("ina.CPU", "supply_rail", "sampled", (*watts, 1.0)),
        ),
    )


def blind() -> Sustained:
    """Two minutes of which nothing but latencies is known, of thirty that were asked for."""
    minutes = tuple(Minute(number, 60_000_000_000, 9, 2e6, None, None, None) for number in (1, 2))
    return Sustained(
        minutes,
        1.0,
        1,
        2,
        None,
        None,
        clock_reason=NO_CLOCK,
        temperature_reason=NO_TEMPERATURE,
        cut="the window ended after 2 of 30 minutes, at 18 inferences: a window holds no more",
    )
