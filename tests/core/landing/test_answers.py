"""Which worktrees the list leaves out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.landing.answers import InspectedWorktree, WorktreeInspector

HERE: Any = SimpleNamespace(mission="a1b2c3d4", worktree="/shop/.overmind/worktrees/a1b2c3d4")
CASES = {
    "it can be told how it stands": ("", HERE, True, False),
    "broken, and nobody works at it": ("Git refused", HERE, False, False),
    "broken, as it is being made or taken away": ("Git refused", HERE, True, True),
    "forgotten since": ("Git refused", None, False, True),
    "taken away since": ("Git refused", SimpleNamespace(mission="a1b2c3d4", worktree=None), False, True),
}


@pytest.mark.parametrize("name", CASES)
def test_what_comes_or_goes_at_the_moment_is_not_called_broken(name):
    problem, now, busy, expected = CASES[name]
    records = {} if now is None else {HERE.mission: now}
    turn = SimpleNamespace(locked=lambda: busy)
    workspace: Any = SimpleNamespace(records=records, turn=lambda _: turn)
    unused: Any = None
    worktrees = WorktreeInspector(locations=unused, workspace=workspace, registry=unused, standings=unused)

    assert worktrees.is_on_the_move(InspectedWorktree(HERE, None, None, {}, problem)) is expected
