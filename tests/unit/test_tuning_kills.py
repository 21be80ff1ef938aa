"""Tuning is killed at every single write, and so is what puts it back: nothing is left changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import tuning
from orchestrator.tuning.knobs import KNOBS
from tests.support.tuned import BOARDS, Machine, Worker, content, root_of


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    found = Worker()
    yield found
    found.end()


ALL_AND_EACH = [
    (board, some) for board, (_, wish) in BOARDS.items() for some in (wish, *wish.split(","))
]  # each alone: what one knob leaves, another may put back


@pytest.mark.parametrize(("board", "wish"), ALL_AND_EACH)
def test_killed_at_every_write_it_is_put_back_to_the_byte(worker: Worker, board: str, wish: str) -> None:
    with root_of(board) as root:
        before, changed = content(root), 0
        for number in itertools.count():
            if not worker.do(root, wish, number):
                break
            changed += content(root) != before
            tuning.put_back(Machine(root), 0)
            assert content(root) == before, f"killed at write {number}"
        assert number > 5
        assert changed > number / 2
        assert content(root) == before


@pytest.mark.parametrize("board", BOARDS)
def test_putting_back_is_killed_at_every_write_too(worker: Worker, board: str) -> None:
    with root_of(board) as root:
        before, killed = content(root), 0
        for number in itertools.count(0, 7):
            if not worker.do(root, BOARDS[board][1], number):
                break
            at = 0
            while worker.do(root, "", at):  # each goes on where the last was killed
                at += 1
            killed += at
            assert content(root) == before
        assert killed > 20


def wishes(board: str) -> st.SearchStrategy[str]:
    words = BOARDS[board][1].split(",")
    return st.lists(st.sampled_from(words), min_size=1, unique=True).map(",".join)


@pytest.mark.parametrize("board", BOARDS)
def test_any_history_ends_as_it_began(worker: Worker, board: str) -> None:
    step = st.tuples(st.just("") | wishes(board), st.none() | st.integers(0, 60))

    @settings(max_examples=30)
    @given(st.lists(step, max_size=5))
    def check(history: list[tuple[str, int | None]]) -> None:
        with root_of(board) as root:
            before = content(root)
            for wish, kill in history:
                if not worker.do(root, wish, kill):
                    assert content(root) == before
            tuning.put_back(Machine(root), 0)
            assert content(root) == before

    check()


def test_every_knob_is_in_these_tests() -> None:
    words = [word for _, wish in BOARDS.values() for word in wish.split(",")]
    assert {word.partition("=")[0] for word in words} == set(KNOBS)
