"""The exports of a study: two networks at a time, within a budget, every failure kept with its reason."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Lock, Thread

from orchestrator.domain import InferometerError
from orchestrator.export_lines import duration
from orchestrator.study.steps import Step

# An export works on one core (docs/adr/0006-pins.md); more at a time need more memory than boards have.
MOST_AT_A_TIME = 2
# Makes what a step names within so many seconds of training (None: as long as it takes); gives the reason of
# each variant that could not be made. Raises InferometerError where none could.
Maker = Callable[[Step, float | None], Mapping[str, str]]


class Clock:
    """A budget shared by steps: each gets an equal share of what is left when it begins."""

    def __init__(self, budget_s: float | None, steps: int, at_a_time: int):
        self._end = None if budget_s is None else time.monotonic() + budget_s
        self._left, self._at_a_time, self._lock = steps, at_a_time, Lock()

    def share_s(self) -> float | None:
        """Seconds for the next step; those that run beside it do not take from it. None: no budget."""
        with self._lock:
            rounds = max(1.0, self._left / self._at_a_time)
            self._left -= 1
        return None if self._end is None else max(0.0, (self._end - time.monotonic()) / rounds)


def make(
    steps: Sequence[Step],
    maker: Maker,
    budget_s: float | None,
    at_a_time: int,
    say: Callable[[str], None],
    end: Callable[[], None] = lambda: None,
) -> dict[Step, Mapping[str, str]]:
    """Carry out every step; by step the reasons of what failed.

    Tells how far it is and how long the rest should take. After an interrupt no further step begins, and
    ``end`` is called, which ends what is under way; finished exports stay.
    """
    clock, began, lock = Clock(budget_s, len(steps), at_a_time), time.monotonic(), Lock()
    failed: dict[Step, Mapping[str, str]] = {}
    waiting, broken = deque(steps), list[BaseException]()

    def one(step: Step) -> None:
        try:
            reasons = maker(step, clock.share_s())
        except InferometerError as problem:
            reasons = dict.fromkeys(step.variants, str(problem))
        with lock:
            failed[step] = reasons
            spent_s = time.monotonic() - began
            rest_steps = len(steps) - len(failed)
            under_way = min(at_a_time - 1, rest_steps)  # half done, as far as anybody knows
            left_s = spent_s / len(failed) * (rest_steps - under_way / 2)
            seed = f", seed {step.seed}" if step.seed else ""
            rest = f"; about {duration(left_s)} left" if len(failed) < len(steps) else ""
            say(f"[{len(failed)}/{len(steps)}] {step.model}{seed}: {_outcome(step, reasons)}{rest}")

    def work() -> None:
        while not broken:
            try:
                one(waiting.popleft())
            except IndexError:
                return
            except BaseException as problem:  # a thread's own would only be printed: raised below
                broken.append(problem)

    # Daemons: an interrupt ends the program, whatever they wait for.
    threads = [Thread(target=work, daemon=True) for _ in range(at_a_time)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException as problem:
        broken.append(problem)
        end()
        raise
    if broken:
        raise broken[0]
    return failed


def _outcome(step: Step, reasons: Mapping[str, str]) -> str:
    made = len(step.variants) - len(reasons)
    told = f"{made} of {len(step.variants)} variants are there"
    if len(set(reasons.values())) == 1:
        return f"{told}; {', '.join(reasons)}: {next(iter(reasons.values()))}"
    return told + (f"; failed: {', '.join(reasons)}" if reasons else "")
