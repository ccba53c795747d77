"""Pictures of the missions in 80x24 and 120x40, compared with those in snapshots/.

New ones are accepted, once somebody has looked at them, with `make snapshots`.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC
from typing import Any, ClassVar

import pytest
from textual.pilot import Pilot

from overmind_core.system.paths import Home
from overmind_core.view.summary import Sample
from overmind_tui.app import OvermindApp
from overmind_tui.command_line.jobs import CommandJob
from overmind_tui.shell.messages import LogShown
from overmind_tui.shell.world import World
from tests.kit.pictures import SIZES

NOW = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""


OUTCOMES = {"stopped": "succeeded", "crashed": "failed", "killed": "killed"}
"""How missions of a status ended, where their picture says nothing else."""


def mission(at, name, status, parent=None, **more) -> Any:
    return {
        "id": f"{at:08x}", "name": name, "type": "task", "status": status, "reason": None, "restart_count": 0,
        "parent": parent, "children": [], "exit_code": None, "started_at": "2025-12-31T23:57:00.000Z",
        "ended_at": None if status not in {"stopped", "crashed"} else "2025-12-31T23:58:30.000Z",
        "uptime_seconds": 90.0, "command": f"./{name} --serve", "cwd": "/srv/work", "labels": {}, "provider": "raw",
        "activity": None, "cpu_percent": None, "memory_bytes": None, "output_bytes_per_second": None,
        "next_restart_at": None, "now": None, "outcome": OUTCOMES.get(status), **more,
    }  # fmt: skip


ROWS = [
    mission(1, "planner", "running", cpu_percent=34.0, memory_bytes=120_000_000, now="planning step 14 of 20"),
    mission(2, "api", "running", "00000001", cpu_percent=2.0, memory_bytes=48_000_000,
            now="GET /users/7 [red]200[/red]"),
    mission(3, "tests", "restarting", "00000001", restart_count=2, next_restart_at="2026-01-01T00:00:08.000Z",
            now="exit 2: E999 syntax error"),
    mission(4, "docs", "stopping", "00000003", cpu_percent=0.0, memory_bytes=9_000_000, now="writing index.html"),
    mission(5, "日本-worker", "paused", cpu_percent=0.0, memory_bytes=3_100_000, now="処理中 42 %"),
    mission(6, "lint", "stopped", exit_code=0, now="0 problems"),
    mission(7, "deploy", "crashed", exit_code=127, now="exit 127: kubectl: not found"),
    mission(8, "old", "killed"),
]  # fmt: skip


def agent(at, name, activity, now, cost, parent=None, **more) -> Any:
    more = {"type": "session", "provider": "claude", "started_at": "2025-12-31T21:00:00.000Z", **more}
    return mission(at, name, "running", parent, activity=activity, now=now, cost_usd=cost, **more)


AGENTS = [
    agent(1, "planner", "working", "⚙ Bash: pytest -q", 0.12, activity_since="2025-12-31T23:59:20.000Z",
          cpu_percent=34.0, memory_bytes=210_000_000),
    agent(2, "api", "waiting", "Bash: rm -rf build", 0.4, "00000001", need="permission", unseen=True,
          activity_since="2025-12-31T23:58:00.000Z"),
    mission(3, "tests", "restarting", "00000001", restart_count=2, next_restart_at="2026-01-01T00:00:08.000Z",
            now="exit 2: E999 syntax error"),
    agent(4, "review", "idle", "Two functions can go.", 1.25, unseen=True, attached=1,
          activity_since="2025-12-31T23:59:55.000Z"),
    agent(5, "docs", "idle", "Done.", 0.02, activity_since="2025-12-31T22:00:00.000Z"),
    agent(6, "research", "limited", "rate_limit", 12.5, resume_at="2026-01-01T00:25:00.000Z",
          activity_since="2025-12-31T23:50:00.000Z"),
    mission(7, "deploy", "crashed", exit_code=1, now="exit 1: [red]no[/red] cluster", reason="restart_budget_spent"),
    agent(8, "port", "waiting", "Which database?", 0.3, need="question",
          activity_since="2025-12-31T23:40:00.000Z"),
]  # fmt: skip
QUESTIONS: list[Any] = [
    {"question": 7, "id": "00000002", "name": "api", "need": "permission", "tool": "Bash", "options": [],
     "summary": "Bash: rm -rf build", "subject": {"command": "rm -rf build \x1b[2J", "description": "[b]clean[/b]"},
     "rule": "Bash(rm -rf build)", "asked_at": "2025-12-31T23:58:00.000Z", "attach_only": False},
    {"question": 8, "id": "00000008", "name": "port", "need": "question", "tool": "AskUserQuestion",
     "options": ["PostgreSQL", "SQLite"], "summary": "Which database?", "rule": None, "attach_only": False,
     "asked_at": "2025-12-31T23:40:00.000Z",
     "subject": {"questions": [{"question": "Which database?", "options": [
         {"label": "PostgreSQL", "description": "a server"}, {"label": "SQLite"}]}]}},
]  # fmt: skip
LOG = [
    (NOW - 30 + at, 1 if at == 3 else 0, text)
    for at, text in enumerate(
        [
            "\x1b[32mGET\x1b[0m /users/7 [red]200[/red] 3 ms",
            "\x1b[1;31mPOST\x1b[0m /login [/] 500 [b",
            "\ttab, 日本語 and e\u0301",
            "stderr: something to worry about",
            "a long line that goes on " + "and on " * 30,
        ]
    )
]
INFO = {key: ROWS[1][key] for key in ("name", "id", "status", "command", "cwd", "parent", "labels", "provider")} | {
    "os_pid": 4242, "argv": ["./api", "--serve"], "restart_policy": "on_failure",
    "runs": [
        {"number": 1, "started_at": "2025-12-31T23:50:00.000Z", "ended_at": "2025-12-31T23:56:59.000Z", "exit_code": 2,
         "reason": "exited", "os_pid": None},
        {"number": 2, "started_at": "2025-12-31T23:57:00.000Z", "ended_at": None, "exit_code": None, "reason": None,
         "os_pid": 4242},
    ],
}  # fmt: skip
EVENTS: list[Any] = [
    {"seq": at, "at": f"2026-01-01T00:00:0{at}.000Z", "type": kind, "mission": "00000002", "name": "api", **more}
    for at, (kind, more) in enumerate[tuple[str, Any]](
        [
            ("created", {}),
            ("started", {"pid": 4242}),
            ("restart", {"text": "--- restart #1 ---"}),
            ("crashed", {"exit_code": 2}),
        ]
    )
]


NO_CHANGES = {"branch": "", "base": "HEAD", "commits": [], "files": [], "diff": "", "cut": ""}


class Still(OvermindApp):
    """The program with missions that never change, at a time that stands."""

    answers: ClassVar[dict[str, Any]] = {}
    """What a daemon would say, by command."""
    other_answer: ClassVar[Any] = INFO
    """And to any other command."""

    def __init__(self, rows=ROWS, home="/proc/nosuch/overmind", **how):
        world = World("/srv/work", 0o022, {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"})
        super().__init__(Home(str(home)), world, zone=UTC, **how)
        self._rows = deepcopy(rows)  # what is noted in them is for no other program
        self.log_follower.show = self._show_log  # type: ignore[method-assign]
        self.jobs.read = self._read  # type: ignore[method-assign]

    def _start(self):
        fleet = self.fleet
        fleet.apply(self._rows, (), everything=True)
        for at in range(30):
            sample = Sample(20.0 + at * at % 37, 4e7 + at * 3e5, at * 997 % 4096)
            fleet.samples.setdefault("00000002", fleet.samples["00000001"].__class__(maxlen=99)).append(sample)
        self.fleet.events.extend(deepcopy(EVENTS))
        self.main.rearrange()
        self.main.table.select("00000002")
        self.flash("daemon 4242", "quiet")

    def _read(self, argv, shape, on_result):
        """No command line prints any row."""
        self.call_later(on_result, shape([]))
        return CommandJob(argv[-1], [], "/", {})

    def _show_log(self, look):
        if look.missions:  # of none there is nothing to show
            self.post_message(LogShown(look, LOG, partial="progress 42 %", runs=(2, 2)))

    def flash(self, text, tone=""):
        super().flash(text, tone)
        self.notice.until = float("inf")  # else it fades on a machine that has much to do

    def now(self):
        return NOW

    def answer(self, command, given):
        """Each answer is a new one, as from a daemon: views note what they know in its rows."""
        del given
        return deepcopy(self.answers.get(command, NO_CHANGES if command == "changes" else self.other_answer))

    def request(self, command, requests, on_result):
        on_result([self.answer(command, one) for one in requests])


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until all is drawn."""
    await pilot.pause()
    await pilot.pause()


VIEWS = {
    "missions": [],
    "marked_and_filtered": ["space", "slash", *"api", "enter"],
    "log": ["l", "t"],
    "log_wrapped": ["l", "w", "z"],
    "marks_hidden": ["*", "slash", *"api", "enter"],
    "wide": ["ctrl+w", "z"],
    "by_a_column": ["<", "<", "O", "<"],
    "attention": ["ctrl+z"],
    "no_header_no_hints": ["ctrl+e", "ctrl+g"],
    "stats": ["shift+tab"],
    "typing_a_command": [":", *"res"],
    "broken_filter": ["/", *"(a"],
    "stop_asks": ["x"],
}
AFRESH = {"stats"}
"""Where the keys lead depends on the size."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    async def press(pilot):
        await settle(pilot)
        for key in VIEWS[view]:
            await pilot.press(
                {
                    "?": "question_mark",
                    ":": "colon",
                    "/": "slash",
                    "(": "left_parenthesis",
                    " ": "space",
                    "<": "less_than_sign",
                }.get(key, key)
            )
        await settle(pilot)

    assert pictured(Still(), size, press, afresh=view in AFRESH)


class Agents(Still):
    """The same with agents, two of which ask."""

    def __init__(self):
        super().__init__(AGENTS)

    def _start(self):
        super()._start()
        self.fleet.questions = QUESTIONS
        self.fleet.today = 14.59
        self.main.rearrange()


AGENT_VIEWS = {"agents": [], "agents_wide": ["ctrl+w", "z"], "unseen": ["/", *"unseen", "enter"]}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", AGENT_VIEWS)
def test_agents(pictured, view, size):
    async def press(pilot):
        await settle(pilot)
        for key in AGENT_VIEWS[view]:
            await pilot.press({"!": "exclamation_mark", "/": "slash"}.get(key, key))
        await settle(pilot)

    assert pictured(Agents(), size, press)


@pytest.mark.parametrize("size", SIZES)
def test_empty(pictured, size):
    class Empty(Still):
        def _start(self):
            self.main.faces.agents = {"claude": False, "codex": True}
            self.fleet.apply([], (), everything=True)
            self.main.rearrange()

    assert pictured(Empty(), size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_lost(pictured, size):
    class Lost(Still):
        def _start(self):
            super()._start()
            self.fleet.events.clear()  # they are of another life than the rows
            self.fleet.lose("Lost the connection to the supervisor", "reconnecting …", NOW - 12)
            self.main.rearrange()
            self.main.changed_connection()

    assert pictured(Lost(), size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_somebody_comes_back(pictured, size):
    class Back(Agents):
        def _start(self):
            super()._start()
            self.away_summary.text = "since 12:40: 3 finished, 2 wait, 1 failed, $4.10"
            self.notice.clear()
            self.main.changed_connection()

    assert pictured(Back(), size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_read_only(pictured, size):
    assert pictured(Still(read_only=True), size, settle)


MORE_SIZES = {"40x8": (40, 8), "60x15": (60, 15), "100x30": (100, 30), "200x60": (200, 60), "300x100": (300, 100)}


@pytest.mark.parametrize("size", MORE_SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_size(pictured, size, theme):
    program = Agents()
    program.theme = theme
    assert pictured(program, size, settle, sizes=MORE_SIZES)


def test_too_small(snap_compare):
    assert snap_compare(Still(), terminal_size=(39, 8), run_before=settle)
