"""The command that begins again a quest that began at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.quests.again import begun_again, command_again, row_of
from overmind_core.domain.quests.quest import Quest

QUEST = Quest("a1b2c3d4", "h1", "echo w", "/", "raw", 1.0)
SAID = [
    ({}, "overmind quest run --name h1 --cwd / 'echo w'"),
    ({"check": "test -s never.txt", "retries": 2},
     "overmind quest run --name h1 --cwd / --check 'test -s never.txt' --retries 2 'echo w'"),
    ({"provider": "claude", "command": "fix it", "check": "make"},
     "overmind quest run --name h1 --cwd / --provider claude --check make TASK"),
    ({"command": "-x"}, "overmind quest run --name h1 --cwd / -- -x"),
    ({"command": "it's"}, """overmind quest run --name h1 --cwd / 'it'"'"'s'"""),
    ({"command": "a\nb"}, "overmind quest run"),
    ({"check": "x" * 300}, "overmind quest run"),
    ({"name": "planner/1"}, "overmind quest run --cwd / 'echo w'"),
    ({"cwd": "/my app"}, "overmind quest run --name h1 --cwd '/my app' 'echo w'"),
    ({"cwd": "/app/.overmind/worktrees/a1b2c3d4"}, "overmind quest run --name h1 --isolate --cwd /app 'echo w'"),
    ({"cwd": "/app/.overmind/worktrees/a1b2c3d4/web"},
     "overmind quest run --name h1 --isolate --cwd /app/web 'echo w'"),
    ({"cwd": "/app/.overmind/worktrees/0f0f0f0f"},
     "overmind quest run --name h1 --cwd /app/.overmind/worktrees/0f0f0f0f 'echo w'"),
    ({"ritual": "nightly"}, "overmind ritual run nightly"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "command"), SAID)
def test_it_is_typed_as_it_was_begun_where_that_is_short(changes, command):
    assert command_again(row_of(replace(QUEST, **changes))) == command


def test_the_limit_of_its_mission_is_named_where_it_is_known():
    assert command_again(row_of(QUEST, timeout=600)) == "overmind quest run --name h1 --cwd / --timeout 600s 'echo w'"


def test_the_words_behind_its_name_say_what_it_is():
    command = "overmind quest run --name h1 --cwd / 'echo w'"
    assert begun_again(row_of(QUEST)) == f"began at once. Begin it again, adding any other options, with: {command}"
    ritual = begun_again(row_of(replace(QUEST, ritual="nightly")))
    assert ritual == "is a run of ritual nightly. Run that again with: overmind ritual run nightly"
