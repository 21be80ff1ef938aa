"""Docker's multiplexed stream: however the bytes are cut, the same two streams come out."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engines.streams import Frames

frames = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=12)


def packed(parts: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for stream, data in parts)


def unpacked(chunks: list[bytes]) -> dict[int, bytes]:
    found: dict[int, bytes] = defaultdict(bytes)
    reader = Frames()
    for chunk in chunks:
        for stream, part in reader.feed(chunk):
            assert part
            found[stream] += part
    return dict(found)


def cut(content: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return [content[start:end] for start, end in zip(edges, edges[1:], strict=False)]


@given(frames, st.lists(st.integers(0, 10**6), max_size=30))
def test_any_cut_gives_the_same_streams(parts: list[tuple[int, bytes]], places: list[int]) -> None:
    expected: dict[int, bytes] = defaultdict(bytes)
    for stream, data in parts:
        if data:
            expected[stream] += data
    content = packed(parts)
    assert unpacked(cut(content, places)) == expected
    assert unpacked([content[n : n + 1] for n in range(len(content))]) == expected


@given(frames.filter(lambda parts: any(data for _, data in parts)), st.data())
def test_what_is_there_is_given_at_once(parts: list[tuple[int, bytes]], data: st.DataObject) -> None:
    """A stream that stops in the middle has lost nothing that arrived."""
    content = packed(parts)
    end = data.draw(st.integers(0, len(content)))
    arrived, position = 0, 0
    for _, payload in parts:
        position += 8
        arrived += max(0, min(len(payload), end - position))
        position += len(payload)
    assert sum(map(len, unpacked([content[:end]]).values())) == arrived


def test_a_frame_of_the_largest_size_is_not_waited_for() -> None:
    reader = Frames()
    header = bytes([1, 0, 0, 0]) + (2**32 - 1).to_bytes(4, "big")
    assert list(reader.feed(header + b"ab")) == [(1, b"ab")]
    assert list(reader.feed(b"c")) == [(1, b"c")]
