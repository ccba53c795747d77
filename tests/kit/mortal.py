"""A supervisor inside of a test that dies at one of its commits: what it does after that, nobody ever sees."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from overmind_core.daemon.app import App


class Mortal:
    """Lets `app` die at the commit with this number, from 1: before it, or right after it with `saved`.

    Attributes:
        commits: How many there were.
        dead: Nothing more is saved, and nothing more reaches the keeper.
    """

    def __init__(self, app: App, at: int, *, saved: bool) -> None:
        self.commits = 0
        self.dead = False
        self._app = app
        self._at = at
        self._saved = saved
        self._write: Callable[[list[Any]], None] = app.journal._write
        app.journal._write = self._commit  # type: ignore[method-assign]

    def _commit(self, changes: list[Any]) -> None:
        if self.dead:
            return
        self.commits += 1
        if self.commits == self._at:
            if self._saved:
                self._write(changes)
            self.dead = True
            cast("Any", self._app.line.link).close()
            return
        self._write(changes)


async def at_each_commit(dies: Callable[[int], Awaitable[bool]]) -> int:
    """Let a story die at its first commit, its second and so on; how many commits it has, once it dies at none."""
    for at in itertools.count(1):
        if not await dies(at):
            return at - 1
    raise AssertionError
