"""How the machine was set: what is known, in one line, and nothing invented."""

from orchestrator.report.isolation import isolation_lines

FACTS = {
    "governors": {"policy0": "schedutil", "policy4": "schedutil"},
    "turbo": False,
    "nvpmodel": "15W",
    "clocks_locked": {"cpu.policy0": False, "devfreq.gpu": True},
    "swaps": [],
    "aslr": 2,
    "load_average": [0.25, 0.1, 0.1],
}


def test_what_is_known_is_one_line() -> None:
    assert isolation_lines([{"name": "a", "isolation": FACTS}]) == [
        "machine: governor schedutil, turbo off, power mode 15W, clocks locked: devfreq.gpu, no swap, "
        "ASLR 2, load 0.25 at the start"
    ]


def test_what_is_unknown_is_left_out() -> None:
    assert isolation_lines([{"name": "a"}, {"name": "b", "isolation": dict.fromkeys(FACTS)}]) == []
    lines = isolation_lines([{"name": "a", "isolation": {"aslr": 0, "swaps": [{}]}}, {"name": "b"}])
    assert lines == ["machine of a: 1 swap devices, ASLR 0"]
