"""A supervisor inside of a test that dies at one of its commits: what it does after that, nobody ever sees."""

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until

if TYPE_CHECKING:
    from overmind_core.daemon.app import App
    from overmind_core.kernel.config import Settings
    from tests.kit.in_process import Inside


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


class Story(ABC):
    """Work for two supervisors of one home: the first one dies at a commit, the second one brings it to its end.

    Attributes:
        settings: Of both.
        home, keeper: Theirs; the keeper lives on.
    """

    settings: ClassVar[Settings]

    def __init__(self, folder: str, at: int = 0, *, saved: bool = False) -> None:
        """`at`, `saved`: the commit at which the first one dies, as `Mortal` takes it; 0: it lives."""
        self.home = Home(f"{folder}/{at}")
        self.keeper = ScriptedKeeper(self.home)
        self._at, self._saved = at, saved

    @abstractmethod
    def plays(self, inside: Inside) -> None:
        """Have the keeper answer for the programs that this supervisor starts."""

    @abstractmethod
    async def client(self, inside: Inside) -> None:
        """Add the work, once, and answer what is asked, until all is over."""

    @abstractmethod
    async def ends(self) -> None:
        """The second supervisor: whatever has not happened does, and nothing happens again."""

    async def dies(self) -> bool:
        """Whether the first supervisor dies before all is over."""
        async with supervising(self.home, self.keeper, settings=self.settings) as inside:
            self.plays(inside)
            mortal = Mortal(inside.app, self._at, saved=self._saved)
            client = asyncio.create_task(self.client(inside))
            await until(lambda: mortal.dead or client.done())
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)
        return mortal.dead


def commits_of(story: type[Story], folder: str, *, saved: bool) -> int:
    """Let a story die at each of its commits, and end each time; how many commits it has."""

    async def dies(at: int) -> bool:
        one = story(folder, at, saved=saved)
        died = await one.dies()
        await one.ends()
        return died

    return in_process.run(at_each_commit(dies))
