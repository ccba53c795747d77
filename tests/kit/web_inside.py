"""The web server's live part inside of a test: a tab without a socket, asking the real supervisor in the same process.

`looked_at` plays a story: no process is started, and the clock is that of the test's loop (`tests.kit.in_process`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_web.live.feed import Feed
from overmind_web.live.socket import Tab
from overmind_web.server.credentials import Secrets, Visitor
from overmind_web.server.guard import SUBPROTOCOL
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.in_process import run as in_process

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from overmind_core.system.paths import Home
    from overmind_web.server.credentials import Credentials
    from overmind_web.supervisor import Supervisor
    from tests.kit.in_process import Inside

T = TypeVar("T")
Message = dict[str, Any]
FAR = 4_000_000_000.0
"""Seconds since the epoch: a login does not end during a test."""


class InsideSupervisor:
    """Stands where the web server has its connection; asks the supervisor in this process.

    Attributes:
        asked: All calls and streams so far: command, arguments, in whose name.
        refusing: Command → what it raises instead.
    """

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._listeners: set[Callable[[bool], None]] = set()
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []
        self.refusing: dict[str, Exception] = {}
        self.up, self.message = True, ""

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call `listener` when it is lost or found."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def lose(self, message: str) -> None:
        """The connection is lost; `message`: why."""
        self.up, self.message = False, message
        for listener in tuple(self._listeners):
            listener(False)

    async def call(self, command: str, args: Mapping[str, Any] | None = None, *, by: str | None = None) -> object:
        """The answer, as it comes over a socket. Raises OvermindError."""
        self._note(command, args, by)
        return _sent(await self._inside.ask(command, **(args or {})))

    async def stream(
        self, command: str, args: Mapping[str, Any] | None = None, *, by: str | None = None
    ) -> AsyncGenerator[tuple[str, Any], None]:
        """Each line as (kind, content). Raises OvermindError."""
        self._note(command, args, by)
        items = self._inside.stream(command, **(args or {}))
        kind = "ok"
        async with aclosing(items):
            async for item in items:
                yield kind, _sent(item)
                kind = "item"
        yield "end", {}

    def named(self, command: str) -> list[dict[str, Any]]:
        """The arguments of each request of this name."""
        return [args for name, args, _ in self.asked if name == command]

    def _note(self, command: str, args: Mapping[str, Any] | None, by: str | None) -> None:
        self.asked.append((command, dict(args or {}), by))
        if command in self.refusing:
            raise self.refusing[command]


def _sent(answer: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(answer))


class ScriptedCredentials:
    """Says of every login what the test says: `visitor`, None once it has ended, or an error."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor: Visitor | OvermindError | None = visitor
        self._watchers: list[Callable[[], Awaitable[None]]] = []

    async def check(self, secrets: Secrets) -> Visitor | None:
        """Who that is. Raises OvermindError."""
        del secrets
        if isinstance(self.visitor, OvermindError):
            raise self.visitor
        return self.visitor

    def watch(self, recheck: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Call it at `tell`."""
        self._watchers.append(recheck)
        return lambda: self._watchers.remove(recheck)

    async def tell(self) -> None:
        """Logins may have ended."""
        for recheck in tuple(self._watchers):
            await recheck()


class Looking:
    """A page's end of such a tab.

    Attributes:
        inside: The supervisor.
        supervisor: As the web server has it.
        keeper: The supervisor's.
        credentials: Of the login.
        said: Kind → the messages that came and are of no pane, the newest last.
        panes: Number of a pane → its messages since it was opened.
        closed: The code with which the server has closed the socket.
        pongs: Whether pings are answered.
        reads: While it is cleared, the browser takes nothing.
    """

    def __init__(self, inside: Inside, keeper: ScriptedKeeper, visitor: Visitor, hello: Mapping[str, object]) -> None:
        self.inside, self.keeper = inside, keeper
        self.supervisor = InsideSupervisor(inside)
        self.credentials = ScriptedCredentials(visitor)
        self.feed = Feed(cast("Supervisor", self.supervisor))
        self.said: dict[str, list[Message]] = defaultdict(list)
        self.panes: dict[int, list[Message]] = defaultdict(list)
        self.order: list[Message] = []
        self.accepted: Message = {}
        self.closed: int | None = None
        self.pongs = True
        self.reads = asyncio.Event()
        self.reads.set()
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._number = 0
        scope = {"state": {"visitor": visitor}, "subprotocols": [SUBPROTOCOL]}
        self.tab = Tab(
            scope,
            self._incoming.get,
            cast("Any", self._take),
            supervisor=cast("Supervisor", self.supervisor),
            feed=self.feed,
            credentials=cast("Credentials", self.credentials),
            hello=hello,
        )

    async def _take(self, event: Message) -> None:
        if event["type"] == "websocket.close":
            self.closed = event["code"]
        elif event["type"] == "websocket.accept":
            self.accepted = event
        else:
            await self.reads.wait()
            message: Message = msgspec.json.decode(event["text"])
            self.order.append(message)
            kept = self.panes[message["p"]] if "p" in message else self.said[message["t"]]
            kept.append(message)
            if message["t"] == "ping" and self.pongs:
                self.send(t="pong")

    def receive(self, event: Message) -> None:
        """Have the server receive this."""
        self._incoming.put_nowait(event)

    def send(self, **message: Any) -> None:
        """Send a message; `from_` is written as `from`."""
        text = msgspec.json.encode({name.rstrip("_"): value for name, value in message.items()}).decode()
        self.receive({"type": "websocket.receive", "text": text})

    async def open(self, view: str, *, pane: int = 1, begin: int = 0, end: int = 90, **args: Any) -> Message:
        """Open a pane, and return its first frame; `begin`, `end`: rows in view."""
        self.panes[pane] = []
        self.send(t="open", p=pane, view=view, args=args, from_=begin, to=end)
        return await self.framed(pane)

    async def framed(self, pane: int = 1, *, after: int = 0) -> Message:
        """Return the newest frame of a pane, once more than `after` came."""
        await until(lambda: len(self.panes[pane]) > after, f"a frame of pane {pane}")
        return self.panes[pane][-1]

    async def press(self, verb: str, **args: Any) -> Message:
        """Do something, and return what it came to."""
        self._number += 1
        number = self._number
        self.send(t="do", n=number, verb=verb, args=args)
        (did,) = await until(lambda: [one for one in self.said["did"] if one["n"] == number], verb)
        return did


def visitor(*, read_only: bool = False, expires_at: float = FAR, name: str = "phone") -> Visitor:
    """Somebody who is logged in."""
    return Visitor(name, read_only, expires_at, Secrets())


def looked_at(
    home: Home,
    play: Callable[[Looking], Awaitable[T]],
    *,
    who: Visitor | None = None,
    hello: Mapping[str, object] | None = None,
    settings: Settings | None = None,
) -> T:
    """Play a story with one tab, that has said hello and whose feed is ready; return what the story returns."""

    async def whole() -> T:
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=settings, cwd=home.root) as inside:
            looking = Looking(inside, keeper, who or visitor(), hello or {})
            looking.feed.start()
            looking.receive({"type": "websocket.connect"})
            serving = asyncio.get_running_loop().create_task(looking.tab.serve())
            try:
                await until(lambda: looking.said["hello"] and looking.feed.ready.is_set(), "hello")
                found = await play(looking)
            finally:
                looking.receive({"type": "websocket.disconnect"})
                await asyncio.wait([serving])
                await looking.feed.close()
            await serving
        keeper.close()
        return found

    return in_process(whole())
