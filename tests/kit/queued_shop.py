"""A queue whose quests work in a git repository, and land there."""

from __future__ import annotations

import os

from tests.kit.overmind import Overmind
from tests.kit.queued import Queued
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

FAST = '[queue]\nslots = 4\nbackoff = "1ms"\n'


class Shop(Queued):
    """A queue whose quests work in a repository."""

    def __init__(self, om: Overmind, settings: str = FAST) -> None:
        self.code = Repository(os.path.join(om.environment["HOME"], "shop"))
        self.code.commit("first", {"a": "1\n", "b": "1\n"})
        om.environment |= {name: value for name, value in self.code.environ.items() if name.startswith("GIT_")}
        super().__init__(om, settings, cwd=self.code.folder)

    def head(self, branch: str = "main") -> str:
        """The commit of a branch."""
        return self.code.git("rev-parse", branch)

    def log(self, branch: str = "main") -> list[str]:
        """Subjects of what is on a branch, newest first, but for what was merged."""
        return self.code.git("log", "--first-parent", "--format=%s", branch).splitlines()

    def column_of(self, name: str) -> str:
        """The column of the board in which a quest stands."""
        return next(
            str(column["name"])
            for column in self.om.api("board")["columns"]
            if name in [one["name"] for one in column["quests"]]
        )

    def phases(self, quest: str) -> list[str | None]:
        """The phases that its events tell of, in order."""
        return [event.get("phase") for event in self.events(quest)]

    def is_cleared(self, quest: str) -> bool:
        """Whether neither worktree nor branch of the quest is left."""
        known = self.code.git("worktree", "list").splitlines()[1:], self.code.git("branch", "--list", "overmind/*")
        return known == ([], "") and not os.path.exists(self.code.path(".overmind", "worktrees", quest))

    def hangs_once(self, hook: str, *, unless: str = "false") -> None:
        """Have a hook of git say that it was reached, and wait for `go("hook")`, the first time.

        Args:
            hook: Its name, as git has it.
            unless: A shell condition under which it does neither.
        """
        path, reached, go = self.code.path(".git", "hooks", hook), self.om.path("reached"), self.om.path("hook.go")
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                f"#!/bin/sh\nif {unless}; then exit 0; fi\nif [ -e {reached} ]; then exit 0; fi\n"
                f": > {reached}\nuntil [ -e {go} ]; do sleep 0.02; done\n"
            )
        os.chmod(path, 0o755)

    def await_hook(self) -> None:
        """Wait until that hook hangs."""
        eventually(lambda: os.path.exists(self.om.path("reached")), timeout=30.0, what="the hook is reached")
