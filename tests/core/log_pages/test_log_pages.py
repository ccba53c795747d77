"""Pages of logs: every line once and in its order, whatever was written, and without reading what is not looked at."""

from __future__ import annotations

import math
import time
from contextlib import closing
from datetime import UTC
from itertools import pairwise
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.missions.run_end import restart_text
from overmind_core.domain.text.moment import format_time
from overmind_core.log_pages import line_filter
from overmind_core.log_pages import pattern as log_pattern
from overmind_core.log_pages.index import PAGE, LogPage, LogScope, pieces
from overmind_core.log_pages.line_filter import LineFilter
from overmind_core.log_pages.page_worker import ReadJob
from overmind_core.log_pages.paged_log import PagedLog, ScreenRows
from overmind_core.log_pages.reader import Reader
from overmind_core.logs.reader import RunLog
from overmind_core.view import log_lines
from overmind_core.view.cells import stripped
from overmind_core.view.log_lines import nothing_since, screen, title
from overmind_core.view.row_filter import BrokenFilter
from tests.kit.cases import tabled
from tests.kit.log_files import LogFiles

BEGAN = 1_767_225_600.0
LARGER_THAN_A_PIPE = 1 << 17


def described(name, *runs, annotations=(), status="running", seen_at=None):
    found = [
        {"number": number, "path": files.path, "tty": True, "format": None, "out": files.ends[0], "err": files.ends[1],
         "started_at": format_time(BEGAN + number), "ended_at": None}
        for number, files in enumerate(runs, 1)
    ]  # fmt: skip
    return {"id": name, "name": name, "status": status, "exit_code": None, "seen_at": seen_at, "runs": found,
            "annotations": list(annotations)}  # fmt: skip


def note(seq, run, out, text, err=0):
    return {"seq": seq, "at": BEGAN + 1, "run": run, "out": out, "err": err, "text": text}


def everything(reader):
    """Texts of all lines, page after page, and of the newest."""
    tail = reader.open()
    pages = [page for page in reader.pages([], reader.ends) if page is not None]
    return [text for lines in [*map(reader.lines, pages), tail] for _, _, text in lines], pages


def look(*missions, **how):
    tail, whole = how.pop("tail", 10), how.pop("whole_times", False)
    scope = LogScope(tuple(one["id"] for one in missions), **how)
    return Reader(missions, scope, zone=UTC, whole_times=whole, tail=tail)


def test_each_line_of_several_runs_is_on_one_page_with_what_was_noted_between(tmp_path):
    first, second = LogFiles(tmp_path / "1", segment=5000), LogFiles(tmp_path / "2")
    wanted = []
    for number in range(3000):
        first.out(b"first run line %d\n" % number, BEGAN + 1 + number / 1000)
        wanted.append(f"first run line {number}")
    first.out(b"without an end", BEGAN + 10)
    for number in range(300):
        second.out(b"second run line %d\n" % number, BEGAN + 20)
    notes = [note(1, 1, first.ends[0], "--- restart #1 ---"), note(2, 2, 0, "--- here ---")]
    found, pages = everything(look(described("api", first, second, annotations=notes)))
    assert len(pages) >= 3
    ours = [text.replace("\x1b[2m", "").replace("\x1b[0m", "") for text in found]
    assert ours == [
        *wanted, "without an end", "--- restart #1 ---", "--- here ---",
        *(f"second run line {number}" for number in range(300)),
    ]  # fmt: skip


def test_two_streams_stay_in_their_order(tmp_path):
    files = LogFiles(tmp_path / "1")
    wanted = []
    for number in range(4000):
        write = files.err if number % 3 == 0 else files.out
        write(b"line %d with some text behind it\n" % number, BEGAN + number / 100)
        wanted.append(f"line {number} with some text behind it")
    found, pages = everything(look(described("api", files)))
    assert len(pages) > 2
    assert found == wanted


def test_several_missions_are_merged_by_time_with_their_names(tmp_path):
    one, other = LogFiles(tmp_path / "1"), LogFiles(tmp_path / "2")
    wanted = []
    for number in range(9000):
        files, name = (one, "api   ") if number % 3 else (other, "worker")
        files.out(b"line %d with some text behind it, to fill pages\n" % number, BEGAN + number)
        wanted.append(f"{name} │ line {number} with some text behind it, to fill pages")
    found, pages = everything(look(described("api", one), described("worker", other)))
    assert len(pages) >= 3
    assert [stripped(text) for text in found] == wanted


def test_full_screen_output_is_one_line_however_long_it_was(tmp_path):
    files = LogFiles(tmp_path / "1", segment=1 << 16)
    files.out(b"before\n" * 3000, BEGAN)
    files.out(b"\x1b[?1049h" + b"row\r\n" * 100_000 + b"\x1b[?1049l", BEGAN + 1)
    files.out(b"after\n" * 3000, BEGAN + 2)
    found, pages = everything(look(described("vim", files)))
    assert found == ["before"] * 3000 + ["[full-screen output, 500.0 KB]"] + ["after"] * 3000
    assert [page.screen for page in pages if page.screen] == [500_016]


def test_full_screen_output_that_goes_on_is_told_at_the_end_and_nowhere_else(tmp_path):
    files = LogFiles(tmp_path / "1")
    files.out(b"before\n" * 3000 + b"\x1b[?1049h" + b"row\r\n" * 10_000, BEGAN)
    reader = look(described("vim", files))
    found, _ = everything(reader)
    assert (found, reader.partial) == (["before"] * 3000, "[full-screen output, 50.0 KB]")


LINES = st.lists(st.binary(max_size=80).map(lambda data: data.replace(b"\n", b"") + b"\n"), max_size=60)


@settings(max_examples=60, deadline=None)
@given(LINES, st.sampled_from([16, 100, 1000]), st.booleans())
def test_pages_follow_each_other_without_a_gap_and_end_at_ends_of_lines(tmp_path_factory, lines, page, both):
    files = LogFiles(tmp_path_factory.mktemp("run") / "1", segment=200)
    for number, line in enumerate(lines):
        (files.err if both and number % 2 else files.out)(line.replace(b"\x1b", b""), BEGAN + number)
    log = RunLog(files.path)
    found = [piece for piece in pieces(log, log.start, log.end, page=page) if piece is not None]
    for one, following in pairwise(found):
        assert one.end == following.start
        assert all(not at or log.read(stream, at - 1, 1)[1] == b"\n" for stream, at in enumerate(one.end))
    assert not found or (found[0].start, found[-1].end) == (log.start, log.end)
    assert sum(piece.lines for piece in found) == sum(line.count(b"\n") for line in lines)


def test_a_page_is_small_whatever_the_lines_are(tmp_path):
    files = LogFiles(tmp_path / "1", segment=1 << 22)
    files.out(b"\n" * 50_000 + b"x" * 3_000_000 + b"\n" + b"short\n" * 20_000, BEGAN)
    log = RunLog(files.path)
    found = [piece for piece in pieces(log, log.start, log.end) if piece is not None]
    assert max(piece.lines for piece in found) <= 1024
    assert max(piece.end[0] - piece.start[0] for piece in found) <= (1 << 20) + PAGE


def test_what_was_rotated_away_is_said(tmp_path):
    files = LogFiles(tmp_path / "1", segment=50_000)
    for number in range(10_000):
        files.out(b"line %06d\n" % number, BEGAN + number)
    reader = look(described("api", files))
    reader.open()
    pages = [page for page in reader.pages([], reader.ends) if page is not None]
    files.drop(0, 2)
    assert reader.lines(pages[0])[0][2] == "--- the first 100.0 KB of run 1 are no longer kept ---"
    assert [text for _, _, text in reader.lines(pages[1])] == ["--- output no longer kept ---"]
    again, _ = everything(look(described("api", files)))
    lost = 100_000 // len("line 000000\n")
    assert again[0] == "--- the first 100.0 KB of run 1 are no longer kept ---"
    assert again[-1] == "line 009999"
    assert len(again) == 10_000 - lost


def test_who_meets_a_page_that_was_rotated_away_forgets_all_others_but_those_that_are_held(tmp_path):
    files = LogFiles(tmp_path / "1", segment=50_000)
    for number in range(200):
        files.out(b"line %06d\n" % number * 100, BEGAN + number)
    reader = look(described("api", files))
    paged_log, job = PagedLog(reader.open()), ReadJob(reader)
    said: list[Any] = []
    job.goal = list(reader.ends)
    while job.step(said.append):
        continue
    pages = [page for one in said for page in one.pages]
    paged_log.found(pages, whole=True)
    paged_log.read(pages[0], reader.lines(pages[0]), None)
    assert job.read(pages[1]).lost == []
    files.drop(0, 3)
    read = job.read(pages[1])
    assert [text for _, _, text in read.lines] == ["--- output no longer kept ---"]
    gone = [page for page in pages if page.spans[0].end[0] <= 150_000]
    assert len(gone) > 3
    assert set(read.lost) == {*gone} - {pages[1]}
    paged_log.read(pages[1], read.lines, None)
    paged_log.lose(read.lost)
    assert paged_log.pages == [*pages[:2], *pages[len(gone) :]]
    assert job.read(pages[len(gone)]).lost == []


def test_a_folder_that_is_gone_is_named(tmp_path):
    files = LogFiles(tmp_path / "1")
    files.out(b"line\n", BEGAN)
    mission = described("api", files)
    for path in files.folder.iterdir():
        path.unlink()
    files.folder.rmdir()
    reader = look(mission)
    assert reader.open() == []
    assert reader.missing == files.path


def test_only_what_was_written_since_a_moment(tmp_path):
    files = LogFiles(tmp_path / "1")
    for number in range(1000):
        files.out(b"line %d\n" % number, BEGAN + number)
    found, _ = everything(look(described("api", files), since=BEGAN + 900))
    assert found == [f"line {number}" for number in range(900, 1000)]
    assert look(described("api", files), since=time.time() + 60).open() == []


def test_one_run_alone(tmp_path):
    runs = [LogFiles(tmp_path / str(number)) for number in range(3)]
    for number, files in enumerate(runs):
        files.out(b"run %d\n" % (number + 1) * 500, BEGAN + number)
    reader = look(described("api", *runs), run=2)
    assert everything(reader)[0] == ["run 2"] * 500
    assert reader.newest_runs == (2, 3)


def test_a_line_stands_between_what_was_seen_and_what_is_new(tmp_path):
    files = LogFiles(tmp_path / "1")
    for number in range(1000):
        files.out(b"line %d\n" % number, BEGAN + 10 + number)
    for at, tail in ((500, 10), (995, 10)):
        mission = described("api", files, seen_at=format_time(BEGAN + 10 + at - 0.5))
        found, _ = everything(look(mission, tail=tail))
        rule = next(text for text in found if "new since" in text)
        assert log_lines.is_rule((0.0, 2, rule))
        assert found[at - 1] == f"line {at - 1}"
        assert found[at] == rule
    nothing_new = described("api", files, seen_at=format_time(BEGAN + 5000))
    assert len(everything(look(nothing_new))[0]) == 1000


@pytest.mark.parametrize(("whole", "time_text"), [(False, "2026-01-01 00:00"), (True, "2026-01-01 00:00:01+00:00")])
def test_a_restart_is_a_line_across_the_log_with_its_day_where_that_is_not_todays(tmp_path, whole, time_text):
    first, second = LogFiles(tmp_path / "1"), LogFiles(tmp_path / "2")
    first.out(b"before\n", BEGAN)
    second.out(b"behind\n", BEGAN + 2)
    text, drawn = restart_text(6, BEGAN + 1), f"── restart 6 at {time_text} ──"
    reader = look(described("api", first, second, annotations=[note(1, 2, 0, text)]), whole_times=whole)
    found, _ = everything(reader)
    assert list(map(stripped, found)) == ["before", drawn, "behind"]
    assert log_lines.is_rule((0.0, 2, found[1]))
    reader.apply({"type": "annotation", "mission": "api", **note(2, 2, second.ends[0], text)})
    assert list(map(stripped, (line for *_, line in reader.grown()))) == [drawn]


def test_a_ruler_is_drawn_below_what_is_there(tmp_path):
    files = LogFiles(tmp_path / "1")
    files.out(b"before\n", BEGAN)
    reader = look(described("api", files))
    reader.open()
    reader.draw_ruler(BEGAN + 3723)
    files.out(b"after\n", BEGAN + 1)
    reader.apply({"type": "grown", "mission": "api", "run": 1, "out": files.ends[0], "err": 0})
    (_, _, ruler), (_, _, after) = reader.grown()
    assert (stripped(ruler), after) == ("── 01:02:03 ──", "after")


# patterns


MATCHES = [
    ("error", "an ERROR here", True), ("error timeout", "timeout, no error", True), ("error timeout", "error", False),
    ("!debug", "DEBUG x", False), ("!debug", "info", True), ("a.c", "xabcx", True), ("red", "\x1b[31mr\x1b[0med", True),
    ('"two words"', "two words", True), ('"two words"', "words two", False), ("[x", None, None),
]  # fmt: skip


@tabled(("text", "line", "wanted"), MATCHES)
def test_which_lines_are_meant(text, line, wanted):
    if wanted is None:
        with pytest.raises(BrokenFilter):
            log_pattern.parsed(text)
        return
    pattern = log_pattern.parsed(text)
    assert pattern is not None
    assert (pattern.matches(line), pattern.holds(line)) == (wanted, wanted)


def test_an_expression_that_searches_for_ever_is_refused():
    with pytest.raises(BrokenFilter, match="too long"):
        log_pattern.parsed("(a+)+b", ["a" * 40])


def pattern_of(text):
    pattern = log_pattern.parsed(text)
    assert pattern is not None
    return pattern


RISKS = [
    ("error", False), ("a.*b", False), ("a|b|c", False), ("x+ y", False), ("(a|b)*c", True), ("(a+)+b", True),
    ("a{9}b?", True),
]  # fmt: skip


@tabled(("text", "risky"), RISKS)
def test_what_repeats_in_more_than_one_way_may_take_for_ever(text, risky):
    assert pattern_of(text).risky is risky


def test_an_expression_that_takes_too_long_with_an_older_line_is_given_up():
    pattern = pattern_of("(a+)+$")
    with closing(LineFilter(pattern)) as judge:
        assert judge.which(["xaa", "x", "\x1b[31ma\x1b[0m"]) == [True, False, True]
        assert not pattern.slow
        assert judge.which(["x", "a" * 40 + "!"]) == [True, True]
        assert pattern.slow
        assert judge.which(["x"]) == [True]


def test_an_expression_that_nobody_takes_is_given_up_and_leaves_no_process(monkeypatch):
    monkeypatch.setattr(line_filter, "_PROGRAM", ("true",))
    pattern = pattern_of("(a+)+" + "b" * LARGER_THAN_A_PIPE)
    children = psutil.Process().children()
    assert LineFilter(pattern).which(["aab", "x"]) == [True, True]
    assert pattern.slow
    assert psutil.Process().children() == children


def test_what_takes_too_long_is_not_marked():
    pattern = pattern_of("(a+)+$")
    assert pattern.marks("a" * 40 + "!") == []
    assert pattern.slow
    wanted = log_pattern.patterns("(a+)+$")
    assert log_pattern.spans("a" * 40 + "!", wanted) == []
    assert log_pattern.following(["x", "a" * 40 + "!"], wanted, 0, 1) is None


def test_marks_are_where_words_stand_and_never_within_another():
    pattern = log_pattern.parsed("ab bc !x")
    assert pattern is not None
    assert pattern.marks("xabcab") == [(1, 3), (3, 4), (4, 6)]
    parts = log_lines.marked([("xab", "slow"), ("cab", "")], pattern.marks("xabcab"))
    assert parts == [("x", "slow"), ("ab", "chosen"), ("c", "chosen"), ("ab", "chosen")]


# rows


def lines(count, text="line"):
    return [(0.0, 0, f"{text} {number}") for number in range(count)]


@pytest.mark.parametrize("cells", [0, 4, 80])
def test_rows_are_where_the_lines_of_pages_are(cells):
    paged_log = PagedLog(lines(3), "partial")
    one, other = LogPage((), 5), LogPage((), 7)
    paged_log.found([one, other], whole=True)
    paged_log.read(other, lines(2, "a long one"), None)
    height = (lambda lines, at: math.ceil(len(lines[at][2]) / cells)) if cells else None
    rows = ScreenRows(paged_log, height)
    seen = [rows.at(row) for row in range(len(rows))]
    assert None not in seen
    assert {at.page for at in seen if at} == {one, other, paged_log.tail}
    assert [(at.line, at.part) for at in seen if at and at.page is other] == (
        [(0, 0), (1, 0)] if cells != 4 else [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    )
    assert rows.at(len(rows)) is None
    start = rows.start(other)
    assert start is not None
    assert rows.row_of(other, 1) == start + (3 if cells == 4 else 1)
    before = len(rows)
    rows.grew(len(paged_log.add(lines(2), "")))
    again = ScreenRows(paged_log, height)
    assert len(rows) == len(again)
    assert len(rows) != before or cells


def test_a_filter_shows_what_was_counted_and_forgets_what_was_held():
    paged_log = PagedLog([*lines(3), (0.0, 0, "error")], "error so far")
    page = LogPage((), 5)
    paged_log.found([page], whole=True)
    paged_log.read(page, lines(5), None)
    pattern = log_pattern.parsed("error")
    paged_log.want(pattern)
    assert [paged_log.count(one) for one in paged_log.blocks] == [0, 0, 2]
    assert paged_log.read(page, [], None) is False
    page.hits = 4
    assert paged_log.count(page) == 4
    paged_log.want(None)
    assert [paged_log.count(one) for one in paged_log.blocks] == [5, 0, 5]


TITLES = [
    ((["api"], None, (1, 1), ""), "api"),
    ((["api"], None, (3, 3), "the last 5m"), "api · run 3 · the last 5m"),
    ((["api"], 2, (2, 3), ""), "api · run 2 of 3"),
    ((["a", "b", "c", "d", "e"], None, (0, 0), ""), "a, b, c and 2 more"),
]


@pytest.mark.parametrize(("parts", "wanted"), TITLES)
def test_the_border_names_what_is_shown(parts, wanted):
    assert title(*parts) == wanted


def test_an_empty_part_says_when_the_last_line_was():
    said = nothing_since("the last 5m", BEGAN, BEGAN + 7200, UTC)
    assert said == "no output in the last 5m · the last line was at 00:00:00, 2h ago"
    assert nothing_since("the last 5m", 0.0, BEGAN, UTC) == "no output in the last 5m"


def test_nothing_more_comes_into_the_log_of_an_earlier_run_or_of_what_has_ended(tmp_path):
    runs = LogFiles(tmp_path / "1"), LogFiles(tmp_path / "2")
    api = described("api", *runs)
    looks = [look(api, run=number) for number in (None, 1, 2)]
    for one in looks:
        one.open()
    assert [one.is_over for one in looks] == [False, True, False]
    for one in looks:
        one.apply({"type": "end", "mission": "api", "status": "stopped", "exit_code": 0})
    assert all(one.is_over for one in looks)


SPAN = "[full-screen output, 22.9 KB]"


@tabled(
    ("how", "partial", "said"),
    [
        ({"type": "session", "tty": True}, SPAN, "enter shows its screen"),
        ({"type": "agent", "tty": True, "interactive": True}, SPAN, "enter shows its screen"),
        ({"type": "task", "tty": True}, SPAN, "a shows its screen"),
        ({"type": "session", "tty": True}, "$ ", ""),
        ({"type": "session", "tty": True, "status": "stopped"}, SPAN, ""),
        ({"type": "task", "tty": False}, SPAN, ""),
    ],
)
def test_who_draws_a_screen_has_a_key_that_shows_it(how, partial, said):
    assert screen({"status": "running"} | how, partial) == said
