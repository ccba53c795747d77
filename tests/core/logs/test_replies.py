"""Replies of the terminal in memory: each from the place in the log at which the query stands."""

from __future__ import annotations

import pytest

from overmind_core.logs.layout import OUT
from overmind_core.logs.replies import RepliesFromLogs
from overmind_core.logs.writer import RunLogWriter

RUN = "1f3a9c0d.1"


@pytest.fixture
def log(tmp_path):
    return RunLogWriter(str(tmp_path), RUN, limit=1 << 20, segment=1 << 18)


@pytest.fixture
def ask(tmp_path, log):
    source = RepliesFromLogs()

    def ask(*pieces: bytes) -> list[bytes]:
        """Write the pieces, of which each second one is a query; return the replies."""
        places = []
        for number, piece in enumerate(pieces):
            start = log.offsets[OUT]
            log.append(OUT, piece, 0.0)
            if number % 2:
                places.append((start, log.offsets[OUT]))
        replies = source.replies(str(tmp_path / "1f3a9c0d" / "000001"), 20, 5, places)
        assert [reply.end for reply in replies] == [end for _, end in places]
        return [reply.data for reply in replies]

    return ask


def test_each_is_answered_as_it_was_there(ask):
    assert ask(b"abc", b"\x1b[6n", b"\r\nde", b"\x1b[6n", b"\x1b[H") == [b"\x1b[1;4R", b"\x1b[2;3R"]


def test_who_asks_again_is_answered_from_where_it_is_by_then(ask):
    assert ask(b"ab", b"\x1b[6n") == [b"\x1b[1;3R"]
    assert ask(b"c", b"\x1b[6n") == [b"\x1b[1;4R"]
    assert ask(b"\x1b[?2004h", b"\x1b[?2004$p") == [b"\x1b[?2004;1$y"]


def test_far_behind_a_flood_the_end_of_the_log_is_enough(ask):
    assert ask(b"ab", b"\x1b[6n") == [b"\x1b[1;3R"]
    assert ask(b"x\r\n" * 200_000 + b"abcd", b"\x1b[6n") == [b"\x1b[5;5R"]


def test_the_size_is_that_of_its_moment(log, ask):
    assert ask(b"", b"\x1b[18t") == [b"\x1b[8;5;20t"]
    log.record_resize(100, 30, 1.0)
    assert ask(b"ab", b"\x1b[18t") == [b"\x1b[8;30;100t"]
    log.record_resize(90, 10, 2.0)
    assert ask(b"", b"\x1b[18t") == [b"\x1b[8;10;90t"]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (b"\x1b]10;?\x07", b"\x1b]10;rgb:e5e5/e5e5/e5e5\x1b\\"),
        (b"\x1b]11;?\x07", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
        (b"\x1b[?u", b"\x1b[?0u"),
        (b"\x1b[99n", b""),
    ],
)
def test_what_needs_no_screen_is_answered_as_well(ask, query, answer):
    assert ask(b"", query) == [answer]


def test_what_is_not_written_yet_waits(tmp_path, log):
    log.append(OUT, b"ab\x1b[", 0.0)
    assert RepliesFromLogs().replies(str(tmp_path / "1f3a9c0d" / "000001"), 20, 5, [(2, 6)]) == []


def test_what_the_log_no_longer_has_gets_no_answer(tmp_path):
    log = RunLogWriter(str(tmp_path), RUN, limit=1 << 12, segment=1 << 10)
    for _ in range(20):
        log.append(OUT, b"x" * (1 << 10), 0.0)
    replies = RepliesFromLogs().replies(str(tmp_path / "1f3a9c0d" / "000001"), 20, 5, [(2, 6)])
    assert [reply.data for reply in replies] == [b""]
