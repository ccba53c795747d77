"""Records that order two streams and time their bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.logs import time_index
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.time_index import IndexPolicy, Record

STEPS = st.lists(st.tuples(st.sampled_from([OUT, ERR]), st.integers(1, 50), st.integers(0, 120)))


def grow(steps):
    """Feed (stream, bytes, milliseconds later); return the records and the true history."""
    pace, wall, offsets, history, records = IndexPolicy(), 1000, [0, 0], [], b""
    for stream, size, later in steps:
        wall += later
        offsets[stream] += size
        history.append((wall, stream, offsets[stream]))
        records += pace.on_growth(stream, offsets[stream], wall)
    return time_index.unpack(records + pace.flush()), history


def test_a_record_has_24_bytes():
    assert time_index.RECORD.size == 24
    assert time_index.unpack(time_index.pack(1, 2, 3, 4) + b"torn") == [Record(1, 2, 3, 4)]


def test_a_size_survives_its_packing():
    assert time_index.resize_size(time_index.resize_extra(300, 100)) == (300, 100)


def test_output_within_the_interval_shares_a_record():
    records, _ = grow([(OUT, 1, 0), (OUT, 1, 10), (OUT, 1, 10), (OUT, 1, 40)])
    assert [(record.wall, record.offset) for record in records] == [(1000, 1), (1060, 4)]


def test_the_bytes_before_a_silence_keep_their_time():
    records, _ = grow([(OUT, 1, 0), (OUT, 1, 10), (OUT, 1, 5000)])
    assert [(record.wall, record.offset) for record in records] == [(1000, 1), (1010, 2), (6010, 3)]


def test_a_switch_between_the_streams_is_always_recorded():
    records, _ = grow([(OUT, 5, 0), (OUT, 5, 1), (ERR, 3, 1), (OUT, 2, 1)])
    assert [(record.kind, record.offset) for record in records] == [(OUT, 5), (OUT, 10), (ERR, 3), (OUT, 12)]


@given(STEPS)
def test_the_order_of_the_streams_can_be_rebuilt_exactly(steps):
    records, history = grow(steps)

    def order(reached):
        seen, chunks = [0, 0], []
        for stream, offset in reached:
            chunks += [stream] * (offset - seen[stream])
            seen[stream] = offset
        return chunks

    assert order((record.kind, record.offset) for record in records) == order((s, o) for _, s, o in history)


@given(STEPS)
def test_no_byte_is_timed_wrong_by_more_than_the_interval(steps):
    records, history = grow(steps)
    for wall, stream, offset in history:
        noted = next(record.wall for record in records if record.kind == stream and record.offset >= offset)
        assert 0 <= noted - wall <= time_index.INTERVAL
