"""A list of nothing says so to a person, on stderr and with what to type next; a pipe and JSON get the list alone."""

from __future__ import annotations

import io
import sys
from typing import Any, get_origin

import pytest

from overmind_core.cli.command import find
from overmind_core.cli.context import Context
from overmind_core.cli.parser import parse
from overmind_core.cli.swarm import commands as swarm_commands
from overmind_core.daemon.routes import TABLE
from overmind_core.domain.operations import BY_COMMAND, OPERATIONS
from scripts.reference.answer_types import answers

COLUMNS = ("queued", "running", "blocked", "review", "done")
COLUMNS = ("queued", "running", "blocked", "review", "done")
BOARD = {
    "columns": [{"name": name, "count": 0, "quests": []} for name in COLUMNS],
    "gates": [], "slots": 3, "running": 0,
}  # fmt: skip
QUEUE = {"slots": 3, "running": 0, "landing": [], "paused": False, "quests": [], "spent_today": 0.0,
         "max_cost_per_day": None, "max_cost_today": None, "pools": []}  # fmt: skip
LISTS: dict[str, Any] = {
    "ps": [],
    "top --once": [],
    "inbox": [],
    "cost": [],
    "messages api": [],
    "quest list": [],
    "spec list": [],
    "ritual list": [],
    "rituals": [],
    "ritual history nightly": [],
    "fleet list": [],
    "lineage list": [],
    "pool list": [],
    "vault list": [],
    "web sessions": [],
    "web token list": [],
    "board": BOARD,
    "queue": QUEUE,
    "worktrees": {"worktrees": [], "broken": []},
    "ports": {"ports": []},
    "health": {"missions": [], "coherence": {"live": 0, "low": 0, "steered": 0, "sharing": 0}},
    "learn": {"groups": []},
    "learn --lessons": {"notes": []},
    "notes": {"notes": []},
    "notes --proposed": {"notes": []},
    "notes --proposed --all": {"notes": []},
    "notes --kind fact --resting": {"notes": []},
    "recall redis": {"notes": [], "why_not": None},
    "search redis": {"notes": []},
    "search redis --episodes": {"episodes": []},
    "search redis --transcripts": {"missions": [], "seq": 0},
    "memory used api": {"text": "", "notes": []},
    "logs": {"missions": [], "seq": 0},
    "context list": None,
    "hive list": None,
}
"""Line → what the daemon answers where there is nothing; None: no daemon is asked."""
BESIDES: dict[str, Any] = {"restart": {"missions": []}, "swarm_status": {"hives": [], "silence": None}}
"""Request that a command sends beside its own → the answer."""
NEVER_EMPTY = {"timeline": "whatever has a name was created at some time"}
"""Command that answers a list → why that is not empty."""
WITHOUT_A_WAY = {"web sessions", "web token list"}
"""Lines that say all: `overmind web` is what prints them."""


class Nothing:
    """A daemon that has nothing of what it is asked for."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def call(self, command: str, args: Any = None) -> Any:
        del args
        return BESIDES.get(command, self.answer)

    def close(self) -> None:
        pass


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(line: str, tmp_path, monkeypatch, *words: str) -> tuple[str, str]:
    """What the command of a line prints to stdout, and to a person."""
    names = line.split()
    name = max((" ".join(names[:count]) for count in (1, 2) if " ".join(names[:count]) in BY_COMMAND), key=len)
    context = Context({"OVERMIND_HOME": str(tmp_path), "PATH": "/bin"})
    monkeypatch.setattr(Context, "client", lambda _self, **_: Nothing(LISTS[line]))
    monkeypatch.setattr(swarm_commands, "is_in_swarm", lambda _home: True)
    out, err = io.StringIO(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    command = find(name)
    assert command.run(parse(command, [*names[len(name.split()) :], *words]), context) == 0
    return out.getvalue(), err.getvalue()


def test_each_command_that_answers_a_list_is_walked():
    lists = {
        OPERATIONS[name].commands[0]
        for name, route in TABLE.items()
        if OPERATIONS[name].commands and any(get_origin(one) is list for one in answers(route.handle).first)
    }
    walked = {name for name in lists if any(f"{line} ".startswith(f"{name} ") for line in LISTS)}
    assert lists - walked == set(NEVER_EMPTY)


@pytest.mark.parametrize("line", LISTS)
def test_a_person_reads_that_there_is_nothing_and_what_to_type_next(line, tmp_path, monkeypatch):
    _, told = run(line, tmp_path, monkeypatch)
    sentence, *more = told.splitlines()
    assert not more
    assert sentence[0].isupper() or sentence.startswith(line.split()[-1])
    assert ": overmind " in sentence or "config.toml" in sentence or "--episodes" in sentence or line in WITHOUT_A_WAY


def test_proposals_that_other_repositories_have_are_one_command_away(tmp_path, monkeypatch):
    told = run("notes --proposed", tmp_path, monkeypatch)[1]
    assert told == "No note is proposed here. See those of all repositories with: overmind notes --proposed --all\n"


@pytest.mark.parametrize("line", [line for line in LISTS if line not in {"logs", "memory used api"}])
def test_json_has_nothing_but_the_list(line, tmp_path, monkeypatch):
    printed, told = run(line, tmp_path, monkeypatch, "--json")
    assert (printed[0] in "[{", told) == (True, "")
