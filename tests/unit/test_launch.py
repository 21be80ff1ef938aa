"""What every engine does with a runner's streams and with cores."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engines.launch import (
    MAX_LOG_BYTES,
    STDERR,
    STDOUT,
    Limits,
    Sink,
    available_cores,
)
from orchestrator.wire import MAX_LINE_BYTES, MAX_TRANSCRIPT_BYTES

parts = st.lists(
    st.tuples(st.sampled_from([STDOUT, STDERR]), st.text("ab\n", max_size=12).map(str.encode)), max_size=20
)
SMALL = Limits(line=10, transcript=60, log=25)


@given(parts)
def test_streams_arrive_whole_until_a_limit(parts: list[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        sink = Sink(out, err, SMALL)
        for stream, data in parts:
            sink.write(stream, data)
        sink.close()
        said = b"".join(data for stream, data in parts if stream == STDOUT)
        logged = b"".join(data for stream, data in parts if stream == STDERR)
        kept, log = out.read_bytes(), err.read_bytes()
    assert said.startswith(kept)
    if sink.overflow is None:
        assert kept == said
        assert len(said) <= SMALL.transcript
        # Of a line that is complete the reader of the transcript is the judge.
        assert len(said.rpartition(b"\n")[2]) <= SMALL.line
    elif "line" in sink.overflow:
        assert max(map(len, said.split(b"\n"))) > SMALL.line
    else:
        assert len(said) > SMALL.transcript
    if len(logged) <= SMALL.log:
        assert log == logged
    else:
        note = f"\n[inferometer: {len(logged) - SMALL.log} more bytes of stderr dropped]\n"
        assert log == logged[: SMALL.log] + note.encode()


@pytest.mark.parametrize("size", [1, 7, 64])
def test_an_endless_line_is_stopped_however_it_is_cut(tmp_path: Path, size: int) -> None:
    sink = Sink(tmp_path / "out", tmp_path / "err", SMALL)
    written = 0
    while sink.overflow is None and written < 1000:
        sink.write(STDOUT, b"x" * size)
        written += size
    sink.close()
    assert sink.overflow == "a line of more than 10 bytes on stdout"
    assert (tmp_path / "out").stat().st_size <= 10


def test_a_transcript_without_end_is_stopped(tmp_path: Path) -> None:
    sink = Sink(tmp_path / "out", tmp_path / "err", SMALL)
    for _ in range(100):
        sink.write(STDOUT, b"1234\n")
    sink.close()
    assert sink.overflow == "more than 60 bytes on stdout"
    assert (tmp_path / "out").read_bytes() == b"1234\n" * 12


def test_the_limits_are_those_of_the_protocol() -> None:
    assert Limits() == Limits(MAX_LINE_BYTES, MAX_TRANSCRIPT_BYTES, MAX_LOG_BYTES)
    text = (Path(__file__).resolve().parents[2] / "runners/PROTOCOL.md").read_text()
    assert (
        f"longer than {MAX_LINE_BYTES >> 20} MiB or a transcript above {MAX_TRANSCRIPT_BYTES >> 20} MiB"
        in text
    )
    assert MAX_LOG_BYTES >= 10_000_000  # C4: 10 MB of log are kept


def test_available_cores_are_some() -> None:
    found = available_cores()
    assert found == tuple(sorted(set(found)))
    assert len(found) >= 1
