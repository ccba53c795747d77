"""`describe` and `result` for a person: sections and the answer as text; JSON is for programs."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from overmind_core.cli.agents.talk import RESULT
from overmind_core.cli.context import Context
from overmind_core.cli.missions.describe import COMMANDS
from overmind_core.cli.parser import parse
from overmind_core.errors import OvermindError

(DESCRIBE,) = COMMANDS
INFO = {
    "id": "91a73029", "name": "api\x1b[2J", "type": "task", "status": "crashed", "outcome": "failed", "reason": None,
    "provider": "claude", "command": "make test", "cwd": "/srv/shop", "exit_code": 3, "run": 1, "activity": None,
    "started_at": "2026-11-28T02:14:38.100Z", "ended_at": "2026-11-28T02:14:48.100Z", "uptime_seconds": 10.0,
    "restart_policy": "on_failure", "max_restarts": 5, "max_seconds": 60, "backoff_ms": 1000, "children": [],
    "parent": None, "labels": {"team": "web"}, "lost": False,
    "runs": [{"number": 1, "started_at": "2026-11-28T02:14:38.100Z", "ended_at": "2026-11-28T02:14:48.100Z",
              "exit_code": 3, "reason": None, "output_bytes": 1200, "os_pid": 7}],
}  # fmt: skip
ANSWER = {"type": "result", "result": "All 12 pass.\nNothing\x1b[2J to do.", "is_error": False}

AGENT: dict[str, Any] = {
    "attempt": 1, "reason": None, "exit_code": None, "result": None, "facts": {}, "waits_for": None, "outcome": None,
    "post": None, "mission": None, "stays": False, "ready": None, "started_at": None, "ended_at": None,
    "depends_on": [], "max_restarts": 5, "max_seconds": 60.0,
}  # fmt: skip
PLAN = {
    "id": "a1b2c3d4", "name": "release", "type": "blueprint", "status": "running", "outcome": None,
    "file": "/srv/r.toml", "run": 2,
    "started_at": "2026-11-28T02:14:38.100Z", "ended_at": None, "max_parallel": 2, "on_failure": "cancel",
    "agents": [
        {**AGENT, "name": "db", "stage": "running", "ready": True, "started_at": "2026-11-28T02:14:38.100Z"},
        {**AGENT, "name": "test", "stage": "waiting", "attempt": 0, "waits_for": "web",
         "depends_on": [{"agent": "db"}]},
    ],
}  # fmt: skip
PLAN_INFO = {**INFO, "id": "a1b2c3d4", "name": "release", "type": "blueprint", "status": "running", "outcome": None,
             "provider": "raw", "run": 2, "run_started_at": "2026-11-28T02:14:40.100Z", "ended_at": None, "tty": False,
             "command": "apply /srv/r.toml", "exit_code": None, "runs": []}  # fmt: skip


class Daemon:
    """Answers by the name of the request; an error is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def call(self, command: str, args: Any = None) -> Any:
        del args
        answer = self.answers[command]
        if isinstance(answer, OvermindError):
            raise answer
        return answer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(monkeypatch, command, daemon: Daemon, *words: str, out: io.StringIO | None = None) -> str:
    monkeypatch.setattr(Context, "client", lambda _self, **_: daemon)
    screen = out or io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    assert command.run(parse(command, ["api", *words]), Context({"PATH": "/bin"})) == 0
    return screen.getvalue()


@pytest.mark.parametrize("terms", [{"definition": {"agent": {"prompt": "fix it"}}}, OvermindError("forbidden")])
def test_a_mission_is_described_in_sections_also_to_whom_its_definition_is_forbidden(terms, monkeypatch):
    text = printed(monkeypatch, DESCRIBE, Daemon(info=INFO, definition=terms))
    for words in ("91a73029", "failed", "command            make test", "team=web", "on-failure, at most 5 in 1m",
                  "1 run", "1.2K"):  # fmt: skip
        assert words in text
    assert ("fix it" in text) is isinstance(terms, dict)
    assert "\x1b" not in text


def test_a_plan_is_described_with_its_file_and_its_agents_and_nobody_is_told_to_edit_it(monkeypatch):
    text = printed(monkeypatch, DESCRIBE, Daemon(info=PLAN_INFO, plan=PLAN))
    words = [" ".join(line.split()) for line in text.splitlines()]
    for line in ("file /srv/r.toml", "agents at a time 2", "2 agents",
                 "after a failure nothing new starts, and what runs is stopped",
                 "AGENT STATE TOOK AFTER WHY", "type plan"):  # fmt: skip
        assert line in words
    assert any(line.startswith("last run 2026-11-2") for line in words)
    (service,) = (line for line in words if " db ready " in line)
    (waiting,) = (line for line in words if " test waiting " in line)
    assert waiting.endswith("test waiting db waits for web")
    assert service
    assert not any(line.startswith(("0 runs", "1 run", "2 runs", "terminal ")) for line in words)


def test_as_json_it_is_what_info_prints(monkeypatch):
    assert json.loads(printed(monkeypatch, DESCRIBE, Daemon(info=INFO), "--json")) == INFO


def test_a_person_gets_the_answer_of_an_agent_and_a_program_the_object(monkeypatch):
    answering = Daemon(result=ANSWER)
    text = printed(monkeypatch, RESULT, answering, out=Terminal())
    assert text.startswith("All 12 pass.\nNothing")
    assert "\x1b" not in text
    for words, out in (((), None), (("--json",), Terminal())):
        assert json.loads(printed(monkeypatch, RESULT, answering, *words, out=out)) == ANSWER


def test_where_there_is_no_answer_in_words_a_person_gets_the_object_too(monkeypatch):
    assert json.loads(printed(monkeypatch, RESULT, Daemon(result={}), out=Terminal())) == {}
