"""Who runs in a mission's worktree has its ports."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.isolation.isolation import OWN, Isolation
from overmind_core.domain.isolation.project import Project
from overmind_core.domain.isolation.saga import saga_of
from overmind_core.isolation.workspace import Workspace

TREE = "/shop/.overmind/worktrees/a1b2c3d4"


def isolation(*, ended):
    return Isolation(
        "a1b2c3d4", "red", "/shop", "", Project(), saga_of(()), worktree=TREE, branch="overmind/red",
        ports={OWN: 3100}, ended=ended,
    )  # fmt: skip


CASES = {
    "a mission within": (f"{TREE}/web", "a1b2c3d4", False, "3100"),
    "a person's, within": (TREE, None, False, "3100"),
    "a person's, when it has ended": (TREE, None, True, None),
    "a person's, in a folder beside": (f"{TREE}5", None, False, None),
    "a mission of it, elsewhere": ("/shop", "a1b2c3d4", False, None),
}


@pytest.mark.parametrize("name", CASES)
def test_what_runs_in_a_worktree_has_the_ports_of_its_mission_while_that_lives(name):
    cwd, parent, ended, port = CASES[name]
    isolations: Any = SimpleNamespace(records={"a1b2c3d4": isolation(ended=ended)})
    definition: Any = SimpleNamespace(cwd=cwd, parent=parent)

    assert Workspace.shared(isolations, definition).get("PORT") == port
