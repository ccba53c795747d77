"""The command `logs`, with a daemon that only says what a test wants."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from overmind_core.cli import follow_logs
from overmind_core.cli.context import Context
from overmind_core.cli.follow_logs import LinePrinter, follow_output
from overmind_core.cli.missions.logs import LOGS
from overmind_core.cli.parser import parse
from overmind_core.errors import OvermindError
from overmind_core.logs.layout import OUT
from tests.kit.log_files import LogFiles

Json = dict[str, Any]
SECOND: Json = {}


class Daemon:
    """Answers `logs` and `events` from a script; a callable in it is done, an exception is raised.

    Nothing comes for a `SECOND`.
    """

    def __init__(self) -> None:
        self.missions: list[Json] = []
        self.script: list[Any] = []
        self.events: list[Json] = []
        self.asked: list[Json] = []
        self._lines: Iterator[Json] = iter(())

    def call(self, command: str, args: Json | None = None) -> Any:
        if command in {"ps", "inbox"}:  # nothing is waited for that could be named
            return []
        assert command == "logs"
        assert args is not None
        return {
            "missions": [each for each in self.missions if args["ids"] is None or each["name"] in args["ids"]],
            "seq": 0,
        }

    def send(self, command: str, args: Json) -> int:
        self.asked.append(args)
        self._lines = self._follow() if command == "logs" else self._tell()
        return 1

    def receive(self, **_: Any) -> Json:
        line = next(self._lines)
        if line is SECOND:
            raise TimeoutError
        return {"id": 1, **line}

    def recover(self, *, repeatable: bool) -> None:
        assert repeatable

    def release(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _follow(self) -> Iterator[Json]:
        yield {"ok": {"missions": self.missions, "seq": len(self.asked)}}
        while self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            if step is SECOND:
                yield step
            elif callable(step):
                step()
            else:
                yield {"item": step}
        yield {"end": {}}

    def _tell(self) -> Iterator[Json]:
        yield {"ok": {}}
        yield from ({"item": event} for event in self.events)
        yield {"end": {}}


class World(Context):
    """A context whose client is a scripted daemon."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__({})
        self.daemon = daemon

    def client(self, **_: Any) -> Any:
        return self.daemon


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def overmind(daemon: Daemon, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., bytes]:
    def run(*words: str) -> bytes:
        assert LOGS.run(parse(LOGS, list(words)), World(daemon)) == 0
        return capfdbinary.readouterr().out

    return run


@pytest.fixture
def mission(daemon: Daemon, tmp_path: Path) -> Callable[..., LogFiles]:
    def make(name: str, *pieces: tuple[float, bytes], status: str = "stopped") -> LogFiles:
        files = LogFiles(tmp_path / name / "000001")
        for wall, data in pieces:
            files.out(data, wall)
        run = {"number": 1, "path": files.path, "tty": True, "columns": 80, "rows": 24, "out": 0, "err": 0}
        number = len(daemon.missions) + 1
        daemon.missions.append(
            {"id": f"{number:08x}", "name": name, "status": status, "exit_code": 0, "runs": [run], "annotations": []}
        )
        return files

    return make


Make = Callable[..., LogFiles]
Run = Callable[..., bytes]


def grown(mission: int) -> Json:
    return {"type": "grown", "mission": f"{mission:08x}", "run": 1, "out": 0, "err": 0}


def end(mission: int) -> Json:
    return {"type": "end", "mission": f"{mission:08x}", "status": "stopped", "exit_code": 0}


def test_one_mission_is_shown_without_a_title(overmind: Run, mission: Make) -> None:
    mission("api", (1.0, b"a\r\n\x1b[31mb\x1b[0m\r\n"))
    assert overmind("api") == b"a\nb\n"


def test_all_missions_are_shown_under_their_titles(overmind: Run, mission: Make) -> None:
    mission("api", (1.0, b"a\n"))
    mission("web", (2.0, b"b"))
    assert overmind() == b"=== api (00000001) ===\na\n=== web (00000002) ===\nb\n"


def test_lines_can_begin_with_their_time(overmind: Run, mission: Make) -> None:
    mission("api", (1.5, b"a\n"))
    assert overmind("api", "--timestamps") == b"1970-01-01T00:00:01.500Z a\n"


def test_only_matching_lines_count_for_the_tail(overmind: Run, mission: Make) -> None:
    mission("api", (1.0, b"".join(b"line %d\n" % number for number in range(100))))
    assert overmind("api", "--grep", "line .*7$", "--tail", "2") == b"line 87\nline 97\n"


def test_raw_bytes_are_exact(overmind: Run, mission: Make) -> None:
    data = bytes(range(256)) * 10 + b"\x1b[?1049h\r\n"
    mission("api", (1.0, data))
    assert overmind("api", "--raw") == data


@pytest.mark.parametrize(
    "words",
    [
        ("api",),
        ("api", "web", "--raw"),
        ("api", "-f"),
        ("--raw", "-f", "api"),
        (),
        ("api", "--cast"),
        ("api", "--grep", "y|last", "--tail", "3"),
        ("api", "-f", "--grep", "y|last", "--tail", "3"),
        ("api", "--events", "--tail", "3"),
    ],
)
def test_what_the_limit_of_logs_has_removed_is_told_beside_the_output(
    daemon: Daemon, mission: Make, capfdbinary: pytest.CaptureFixture[bytes], words: tuple[str, ...]
) -> None:
    mission("api", (1.0, b"x" * 2_000_000), (2.0, b"y\nlast\n")).drop(OUT, 1)
    mission("web", (1.0, b"whole\n"))
    assert LOGS.run(parse(LOGS, list(words)), World(daemon)) == 0
    shown = capfdbinary.readouterr()
    assert re.search(rb"y(\n|\\n)last", shown.out)
    assert shown.err == b"api: the first 2.0 MB of run 1 were removed by the limit of its log ([logs] per_mission).\n"


@pytest.mark.parametrize(
    "words", [("--grep", "y|last", "--tail", "2"), ("-f", "--grep", "last", "--tail", "1"), ("--events", "--tail", "2")]
)
def test_what_was_removed_is_not_told_where_the_end_of_the_lines_is_all_that_is_wanted(
    daemon: Daemon, mission: Make, capfdbinary: pytest.CaptureFixture[bytes], words: tuple[str, ...]
) -> None:
    mission("api", (1.0, b"x" * 2_000_000), (2.0, b"y\nlast\n")).drop(OUT, 1)
    assert LOGS.run(parse(LOGS, ["api", *words]), World(daemon)) == 0
    shown = capfdbinary.readouterr()
    assert b"last\n" in shown.out
    assert shown.err == b""


def test_runs_that_the_limit_of_logs_has_removed_whole_are_told_together(
    daemon: Daemon, mission: Make, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    kept = mission("api", (1.0, b"x" * 2_000_000), (2.0, b"last\n"))
    kept.drop(OUT, 1)
    (run,) = daemon.missions[0]["runs"]
    gone = [run | {"number": number, "path": f"/gone/{number}", "out": 1000, "err": 500} for number in range(1, 4)]
    limit = b"were removed by a limit of logs ([logs] per_mission or total).\n"
    for runs, told in (
        ([gone[0]], b"api: all 1.5 KB of run 1 "),
        ([*gone, run | {"number": 4}], b"api: all 4.5 KB of 3 runs and the first 2.0 MB of run 4 "),
    ):
        daemon.missions[0]["runs"] = runs
        assert LOGS.run(parse(LOGS, ["api"]), World(daemon)) == 0
        assert capfdbinary.readouterr().err == told + limit


def test_a_recording_is_one_event_per_line(overmind: Run, mission: Make) -> None:
    mission("api", (1.0, b"a\r\n"), (2.5, b"b\r\n"))
    header, *events = map(json.loads, overmind("api", "--cast").splitlines())
    assert (header["title"], events) == ("api", [[0.0, "o", "a\r\n"], [1.5, "o", "b\r\n"]])


def test_events_stand_between_the_lines(overmind: Run, mission: Make, daemon: Daemon) -> None:
    mission("api", (1.0, b"a\n"), (3.0, b"b\n"))
    at = "1970-01-01T00:00:02.000Z"
    daemon.events = [
        {
            "seq": 1,
            "at": at,
            "type": "signalled",
            "mission": "00000001",
            "name": "api",
            "signal": "HUP",
        },
        {"seq": 2, "at": at, "type": "started", "mission": "00000009", "name": "web"},
    ]
    assert overmind("api", "--events") == b"a\n--- signalled signal=HUP ---\nb\n"


REFUSED = [
    (["api", "--raw", "--timestamps"], "--raw and --timestamps can't be used together"),
    (["api", "--cast", "-f"], "--cast and --follow can't be used together"),
    (["api", "--events", "-f"], "--events and --follow can't be used together"),
    (["--cast"], "--cast records one mission"),
    (["api", "--grep", "("], "not a regular expression"),
    (["api", "--since", "soon"], "soon"),
    (["api", "--tail", "-1"], "tail"),
    (["api", "--run", "7"], "has no run 7"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_what_makes_no_sense_is_refused(overmind: Run, mission: Make, words: list[str], sentence: str) -> None:
    mission("api", (1.0, b"a\n"))
    with pytest.raises(OvermindError, match=re.escape(sentence)):
        overmind(*words)


def test_following_goes_on_until_the_end(overmind: Run, mission: Make, daemon: Daemon) -> None:
    files = mission("api", (1.0, b"a\nb"), status="running")
    daemon.script = [lambda: files.out(b"c\nd", 2.0), grown(1), lambda: files.out(b"e", 3.0), end(1)]
    assert overmind("-f", "api") == b"a\nbc\nde\n"


def test_with_follow_the_end_of_what_is_shown_is_a_time_to_come(overmind: Run, mission: Make, daemon: Daemon) -> None:
    files = mission("api", (1.0, b"a\n"), status="running")
    daemon.script = [lambda: files.out(b"b\n", 2.0), grown(1), end(1)]
    assert overmind("-f", "api", "--until", "1h") == b"a\nb\n"


def test_what_ends_in_the_past_is_shown_as_without_follow(overmind: Run, mission: Make, daemon: Daemon) -> None:
    mission("api", (1.0, b"a\n"), (2.0, b"b\n"), status="running")
    assert overmind("-f", "api", "--until", "1970-01-01T00:00:01.500Z") == b"a\n"
    assert daemon.asked == []


def test_where_the_end_comes_before_the_first_answer_is_shown_what_there_is(
    overmind: Run, mission: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(*_: Any, **_options: Any) -> Iterator[Any]:
        raise OvermindError("timeout")

    mission("api", (1.0, b"a\n"), status="running")
    monkeypatch.setattr(follow_logs, "follow", too_late)
    assert overmind("-f", "api", "--until", "1h") == b"a\n"


def test_following_survives_a_daemon_that_is_replaced(overmind: Run, mission: Make, daemon: Daemon) -> None:
    files = mission("api", (1.0, b"a\n"), status="running")
    daemon.script = [
        *(grown(1), lambda: files.out(b"b\n", 2.0), ConnectionResetError()),
        *(lambda: files.out(b"c\n", 3.0), grown(1), end(1)),
    ]
    assert overmind("-f", "api") == b"a\nb\nc\n"
    assert [asked["seq"] for asked in daemon.asked] == [0, 1]
    assert [asked["ids"] for asked in daemon.asked] == [["api"], ["00000001"]]


def test_several_are_followed_with_their_names(overmind: Run, mission: Make, daemon: Daemon) -> None:
    api = mission("api", (1.0, b"a1\n"), (3.0, b"a2\n"), status="running")
    mission("worker", (2.0, b"w1\n"))
    daemon.script = [lambda: api.out(b"a3\n", 4.0), grown(1), end(1)]
    assert overmind("-f", "api", "worker") == b"api    | a1\nworker | w1\napi    | a2\napi    | a3\n"


def test_raw_bytes_can_be_followed(overmind: Run, mission: Make, daemon: Daemon) -> None:
    files = mission("api", (1.0, b"\x00\xff"), status="running")
    daemon.script = [lambda: files.out(b"\r\x1b[", 2.0), grown(1), end(1)]
    assert overmind("-f", "api", "--raw") == b"\x00\xff\r\x1b["


def test_following_one_mission_tells_how_it_ended(
    mission: Make, daemon: Daemon, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    files = mission("api", status="running")
    daemon.script = [lambda: files.out(b"a\n", 2.0), grown(1), {**end(1), "status": "crashed", "exit_code": 3}]
    ended = follow_output(daemon, "api", LinePrinter(), colour=False)  # type: ignore[arg-type]
    assert (capfdbinary.readouterr().out, ended.status, ended.exit_code) == (b"a\n", "crashed", 3)


UNFINISHED: dict[str, tuple[tuple[bytes, ...], tuple[str, ...]]] = {
    "a question": ((b"hello\nGo on? ", b"", b""), ("hello\n", "", "Go on? ", "\n")),
    "a question that is answered": ((b"Go on? ", b"", b"yes\nbye\n"), ("", "", "Go on? yes\nbye\n", "")),
    "one that is ended within a second": ((b"Go ", b"on\n"), ("", "Go on\n", "")),
    "one that grows": ((b"a", b"b", b"c", b"d\n"), ("", "", "a", "bcd\n", "")),
    "one that only ends": ((b"Name: ", b"", b"", b"\r\n"), ("", "", "Name: ", "\n", "")),
    "another one each second": ((b"50", b"%\n60", b"%\n"), ("", "50%\n", "60%\n", "")),
    "one that is written over": (
        (b"10%", b"", b"", b"\r20%", b"", b"", b"\r30%\n"), ("", "", "10%", "", "", "", "\n30%\n", ""),
    ),
    "one that is erased": ((b"wait", b"", b"", b"\r\x1b[K\n"), ("", "", "wait", "\n", "")),
    "colours": (
        (b"\x1b[31mred ", b"", b"", b"more\x1b[m end\n"),
        ("", "", "\x1b[31mred \x1b[0m", "\x1b[31mmore\x1b[0m end\n", ""),
    ),
    "blanks, and a picture": (
        (b"  ", b"", b"", b"\n\x1b[?1049hpicture", b"", b""),
        ("", "", "", "  \n", "", "", "[full-screen output, 15 B]\n"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "printed"), UNFINISHED.values(), ids=UNFINISHED)
def test_a_line_that_stands_unfinished_for_a_second_is_printed_and_continued(
    mission: Make,
    daemon: Daemon,
    capfdbinary: pytest.CaptureFixture[bytes],
    written: tuple[bytes, ...],
    printed: tuple[str, ...],
) -> None:
    files, seen = mission("api", status="running"), list[str]()

    def see() -> None:
        seen.append(capfdbinary.readouterr().out.decode())

    for number, data in enumerate(written):
        daemon.script += [partial(files.out, data, float(number)), grown(1), see, SECOND]
    daemon.script.append(end(1))
    follow_output(daemon, "api", LinePrinter(), colour=True)  # type: ignore[arg-type]
    see()
    assert seen == list(printed)


def test_what_others_write_meanwhile_ends_an_unfinished_line_and_the_rest_of_it_has_one_of_its_own(
    overmind: Run, mission: Make, daemon: Daemon
) -> None:
    api, worker = mission("api", status="running"), mission("worker", status="running")
    daemon.script = [
        *(partial(api.out, b"Go on? ", 1.0), grown(1), SECOND, SECOND),
        *(partial(worker.out, b"w\n", 2.0), grown(2), partial(api.out, b"yes\n", 3.0), grown(1)),
        *(partial(api.out, b"Sure? ", 4.0), grown(1), SECOND, SECOND, SECOND),
    ]
    assert overmind("-f", "api", "worker") == b"api    | Go on? \nworker | w\napi    | yes\napi    | Sure? \n"


def test_an_unfinished_line_that_was_printed_is_continued_whatever_its_end_matches(
    overmind: Run, mission: Make, daemon: Daemon
) -> None:
    files = mission("api", (1.0, b"Go on? "), status="running")
    daemon.script = [SECOND, SECOND, partial(files.out, b"yes\nGo\n", 3.0), grown(1), end(1)]
    assert overmind("-f", "api", "--grep", r"\? $") == b"Go on? yes\n"
