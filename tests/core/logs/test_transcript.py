"""All runs of a mission, as the daemon describes them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.transcript import LogSelection, Transcript
from tests.kit.log_files import LogFiles

RESTART = "--- restart #1 at 2026-11-20T08:00:00Z ---"


class Mission:
    """A mission's files and what the daemon says of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: list[LogFiles] = []
        self.annotations: list[dict[str, Any]] = []
        self.status = "running"

    def run(self) -> LogFiles:
        self.files.append(LogFiles(self._folder / f"{len(self.files) + 1:06d}", segment=64))
        return self.files[-1]

    def annotate(self, text: str, *, run: int, out: int = 0, err: int = 0, at: float = 0.0) -> dict[str, Any]:
        self.annotations.append(
            {
                "seq": len(self.annotations) + 1,
                "at": at,
                "run": run,
                "out": out,
                "err": err,
                "kind": "note",
                "text": text,
            }
        )
        return {"type": "annotation", "mission": "a1b2c3d4", **self.annotations[-1]}

    def described(self) -> dict[str, Any]:
        return {
            "id": "a1b2c3d4",
            "name": "api",
            "status": self.status,
            "exit_code": None if self.status == "running" else 0,
            "runs": [self.described_run(number) for number in range(1, len(self.files) + 1)],
            "annotations": list(self.annotations),
        }

    def described_run(self, number: int) -> dict[str, Any]:
        files = self.files[number - 1]
        return {
            "number": number,
            "path": files.path,
            "tty": True,
            "columns": 80,
            "rows": 24,
            "out": files.ends[0],
            "err": files.ends[1],
        }

    def grown(self, run: int) -> dict[str, Any]:
        return {"type": "grown", "mission": "a1b2c3d4", "run": run, "out": 0, "err": 0}


@pytest.fixture
def mission(tmp_path: Path) -> Mission:
    return Mission(tmp_path)


@pytest.fixture
def restarted(mission: Mission) -> Mission:
    first, second = mission.run(), mission.run()
    for number in range(10):
        first.out(b"first %d\r\n" % number, 100 + number)
        second.out(b"second %d\r\n" % number, 200 + number)
    second.out(b"end", 210)
    mission.annotate(RESTART, run=2, at=200.0)
    mission.annotate("[human] go on", run=2, out=20, at=202.0)
    mission.status = "stopped"
    return mission


def text(mission: Mission, **wanted: Any) -> list[str]:
    return [line for _, _, line in Transcript(mission.described(), LogSelection(**wanted)).begin(follow=False)]


FIRST = [f"first {number}" for number in range(10)]
SECOND = [RESTART, "second 0", "second 1", "[human] go on", *[f"second {number}" for number in range(2, 10)], "end"]

SELECTIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, FIRST + SECOND),
    ({"run": 1}, FIRST),
    ({"run": 2}, SECOND),
    ({"run": 3}, []),
    ({"since": 108.0}, FIRST[8:] + SECOND),
    ({"since": 208.0}, ["second 8", "second 9", "end"]),
    ({"until": 102.0}, FIRST[:2]),
    ({"since": 109.0, "until": 202.0}, [FIRST[9], RESTART, "second 0", "second 1", "[human] go on"]),
    ({"tail": 0}, []),
    ({"tail": 1}, ["end"]),
    ({"tail": 3}, SECOND[-3:]),
    ({"tail": 11}, SECOND[-11:]),
    ({"tail": 13}, SECOND),
    ({"tail": 15}, FIRST[-2:] + SECOND),
    ({"tail": 500}, FIRST + SECOND),
    ({"tail": 2, "run": 1}, FIRST[-2:]),
    ({"streams": (OUT,), "run": 2}, [line for line in SECOND if line[0] not in "-["]),
    ({"streams": (ERR,)}, []),
]


@pytest.mark.parametrize(("wanted", "expected"), SELECTIONS)
def test_the_wanted_part_is_shown(restarted: Mission, wanted: dict[str, Any], expected: list[str]) -> None:
    assert text(restarted, **wanted) == expected


def test_the_tail_of_a_line_that_nobody_reads_whole_says_what_is_left_out(mission: Mission) -> None:
    files = mission.run()
    files.out("ü".encode() * 3_000_000 + b"the end\nlast\n", 5.0)
    mission.status = "stopped"
    end, last = text(mission, tail=2)
    note, _, kept = end.partition("--raw … ")
    assert note == "… 4.8 MB left out, see "
    assert kept.strip("ü") == "the end"
    assert last == "last"
    assert text(mission, tail=1) == ["last"]
    (whole, _) = text(mission)
    assert len(whole) == 3_000_007


@pytest.mark.parametrize(
    ("wanted", "removed"),
    [
        ({}, {1: 72}),
        ({"run": 2}, {}),
        ({"tail": 10}, {}),
        ({"tail": 40}, {1: 72}),
        ({"since": 105.0}, {1: 72}),
        ({"since": 109.0}, {}),
        ({"since": 1.0}, {1: 72}),
        ({"streams": (ERR,)}, {}),
    ],
)
def test_where_what_is_shown_begins_behind_what_the_limit_removed_that_is_known(
    restarted: Mission, wanted: dict[str, Any], removed: dict[int, int]
) -> None:
    restarted.files[0].drop(OUT, 1)
    shown = Transcript(restarted.described(), LogSelection(**wanted))
    list(shown.begin(follow=False))
    assert shown.removed == removed
    bytes_of = Transcript(restarted.described(), LogSelection(**wanted))
    list(bytes_of.chunks())
    assert bytes_of.removed == removed


@pytest.mark.parametrize(
    ("wanted", "removed"),
    [
        ({}, {1: 90}),
        ({"run": 2}, {}),
        ({"tail": 0}, {}),
        ({"tail": 10}, {}),
        ({"tail": 40}, {1: 90}),
        ({"since": 105.0}, {1: 90}),
        ({"since": 111.0}, {}),
        ({"until": 99.0}, {}),
        ({"until": 100.0}, {1: 90}),
        ({"streams": (ERR,)}, {}),
    ],
)
def test_a_run_that_the_limit_has_removed_whole_is_known_where_anything_of_it_is_wanted(
    restarted: Mission, wanted: dict[str, Any], removed: dict[int, int]
) -> None:
    described = restarted.described()
    described["runs"][0] |= {"started_at": "1970-01-01T00:01:40.000Z", "ended_at": "1970-01-01T00:01:50.000Z"}
    shutil.rmtree(restarted.files[0].folder)
    shown = Transcript(described, LogSelection(**wanted))
    list(shown.begin(follow=False))
    assert shown.removed == removed
    bytes_of = Transcript(described, LogSelection(**wanted))
    list(bytes_of.chunks())
    assert bytes_of.removed == removed


@pytest.mark.parametrize(
    ("wanted", "removed"),
    [({}, {1: 6}), ({"tail": 5}, {}), ({"tail": 30}, {1: 6}), ({"streams": (OUT,)}, {}), ({"streams": (ERR,)}, {1: 6})],
)
def test_a_stream_that_the_limit_has_removed_whole_is_known_where_the_output_is_shown_from_its_beginning(
    mission: Mission, wanted: dict[str, Any], removed: dict[int, int]
) -> None:
    files = mission.run()
    files.err(b"early\n", 1.0)
    for number in range(20):
        files.out(b"%d\n" % number, 2.0 + number)
    files.drop(ERR, 1)
    shown = Transcript(mission.described(), LogSelection(**wanted))
    list(shown.begin(follow=False))
    assert shown.removed == removed


def test_a_line_that_the_limit_has_cut_is_known_to_be_cut_also_where_its_tail_is_shown(mission: Mission) -> None:
    files = mission.run()
    files.out(b"x" * 100, 4.0)
    files.out(b"x" * 3_000_000 + b"the end\nlast\n", 5.0)
    files.drop(OUT, 1)
    mission.status = "stopped"
    for tail, removed in ((2, {1: 100}), (1, {})):
        shown = Transcript(mission.described(), LogSelection(tail=tail))
        assert len(list(shown.begin(follow=False))) == tail
        assert shown.removed == removed


def test_the_tail_of_both_streams_is_that_of_the_whole(mission: Mission) -> None:
    files = mission.run()
    for number in range(40):
        files.out(b"out %d\n" % number, number)
        if number % 7 == 0:
            files.err(b"err %d\n" % number, number + 0.5)
    for count in range(45):
        assert text(mission, tail=count) == (text(mission)[-count:] if count else [])


def test_the_tail_looks_behind_full_screen_output(mission: Mission) -> None:
    mission.run().out(b"before\n\x1b[?1049h" + b"row\r\n" * 5000 + b"\x1b[?1049lafter\n", 1.0)
    assert text(mission, tail=3) == ["before", "[full-screen output, 25.0 KB]", "after"]


def test_a_tail_within_full_screen_output_shows_none_of_it(mission: Mission) -> None:
    mission.run().out(b"\x1b[?1049h" + b"row\r\n" * 100_000, 1.0)
    (line,) = text(mission, tail=1)
    assert line.startswith("[full-screen output, ")


def test_each_line_is_shown_once_while_the_log_grows(mission: Mission) -> None:
    files = mission.run()
    transcript = Transcript(mission.described(), LogSelection())
    found = [*transcript.begin(follow=True)]
    for number in range(50):
        files.out(b"line %d\nha" % number, number)
        transcript.apply(mission.grown(1))
        found += transcript.new_lines()
        files.out(b"lf\n", number)
        if number % 5 == 0:
            transcript.update(mission.described())  # the daemon was replaced
            found += transcript.new_lines()
    transcript.apply({"type": "end", "mission": "a1b2c3d4", "status": "stopped", "exit_code": 3, "reason": "gone"})
    found += transcript.new_lines()
    assert [line for _, _, line in found] == [line for n in range(50) for line in (f"line {n}", "half")]
    assert (transcript.ended, transcript.status, transcript.exit_code) == (True, "stopped", 3)
    assert transcript.reason == "gone"


def test_a_new_run_finishes_the_one_before(mission: Mission) -> None:
    files = mission.run()
    files.out(b"prompt> ", 1.0)
    transcript = Transcript(mission.described(), LogSelection())
    assert [*transcript.begin(follow=True)] == []
    transcript.apply(mission.annotate(RESTART, run=2))
    mission.run().out(b"again\n", 2.0)
    transcript.apply({"type": "run", "mission": "a1b2c3d4", "run": mission.described_run(2)})
    assert [line for _, _, line in transcript.new_lines()] == ["prompt> ", RESTART, "again"]


UNSTARTED = ["--- restart #1 ---", "--- could not start: why ---", "--- restart #2 ---"]


@pytest.fixture
def unstarted(mission: Mission) -> Mission:
    """A mission whose second run never began."""
    mission.run().out(b"one\r\ntwo\r\n", 1.0)
    for number, line in enumerate(UNSTARTED):
        mission.annotate(line, run=2 + number // 2, at=2.0 + number)
    return mission


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["one", "two", *UNSTARTED]),
        ({"tail": 4}, ["two", *UNSTARTED]),
        ({"tail": 2}, UNSTARTED[1:]),
        ({"tail": 0}, []),
        ({"run": 1}, ["one", "two"]),
        ({"streams": (OUT,)}, ["one", "two"]),
        ({"since": 3.0}, UNSTARTED[1:]),
    ],
)
def test_why_a_run_never_began_is_told(unstarted: Mission, wanted: dict[str, Any], expected: list[str]) -> None:
    assert text(unstarted, **wanted) == expected


@pytest.mark.parametrize("tail", [None, 3, 1])
def test_why_a_run_never_began_is_told_before_the_next_that_does(unstarted: Mission, tail: int | None) -> None:
    transcript = Transcript(unstarted.described(), LogSelection(tail=tail))
    shown = [line for _, _, line in transcript.begin(follow=True)]
    assert not shown or shown[-1] in UNSTARTED
    for files in (unstarted.run(), unstarted.run()):
        files.out(b"three\r\n", 9.0)
    transcript.apply({"type": "run", "mission": "a1b2c3d4", "run": unstarted.described_run(3)})
    shown += [line for _, _, line in transcript.new_lines()]
    assert shown[-1] == "three"
    assert shown[:-1] == (["one", "two", *UNSTARTED] if tail is None else UNSTARTED[-tail:])


def test_runs_that_were_forgotten_leave_no_annotations(mission: Mission) -> None:
    for _ in range(3):
        mission.run().out(b"text\r\n")
    mission.annotate("--- forgotten ---", run=1)
    described = mission.described() | {"runs": [mission.described_run(3)], "status": "stopped"}
    shown = Transcript(described, LogSelection()).begin(follow=False)
    assert [line for _, _, line in shown] == ["text"]


def test_an_annotation_that_comes_twice_is_shown_once(mission: Mission) -> None:
    mission.run().out(b"a\n", 1.0)
    transcript = Transcript(mission.described(), LogSelection())
    found = [*transcript.begin(follow=True)]
    transcript.apply(mission.annotate("[human] hello", run=1, out=2))
    found += transcript.new_lines()
    transcript.update(mission.described())
    found += transcript.new_lines()
    assert [line for _, _, line in found] == ["a", "[human] hello"]


def test_bytes_are_handed_out_as_they_were_written(restarted: Mission) -> None:
    transcript = Transcript(restarted.described(), LogSelection())
    found = b"".join(data for *_, data in transcript.chunks())
    assert (
        found
        == b"".join(b"first %d\r\n" % n for n in range(10)) + b"".join(b"second %d\r\n" % n for n in range(10)) + b"end"
    )
    assert [*transcript.chunks()] == []


def test_the_last_lines_as_bytes(restarted: Mission) -> None:
    def raw(tail: int) -> bytes:
        return b"".join(data for *_, data in Transcript(restarted.described(), LogSelection(tail=tail)).chunks())

    assert raw(2) == b"second 9\r\nend"
    assert raw(12).startswith(b"first 9\r\nsecond 0\r\n")


def test_what_writes_nothing_itself_is_told_as_it_happens(mission: Mission) -> None:
    mission.annotate("--- a: started ---", run=1)
    transcript = Transcript(mission.described() | {"type": "blueprint"}, LogSelection())
    assert [line for _, _, line in transcript.begin(follow=True)] == ["--- a: started ---"]
    transcript.apply(mission.annotate("--- a: succeeded ---", run=1))
    assert [line for _, _, line in transcript.new_lines()] == ["--- a: succeeded ---"]
    assert [line for _, _, line in transcript.new_lines()] == []
