"""`/tty`: one mission's terminal in one page.

The link to the keeper (`overmind_core.client.terminal_link`) has a thread of its own, which joins again what broke off
and draws the screen from the log where the page is too slow. Here its items become messages, as many as the page's
acknowledgements allow, and what the page sends goes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.websockets import WebSocket, WebSocketDisconnect

from overmind_core.client.terminal_link import Link
from overmind_core.client.terminal_stream import Away, Exited, Failed, Joined, Severed, Sized, StateChange
from overmind_core.domain.missions.reasons import limit_of, why_beside
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.logs.snapshot import screen_at
from overmind_web.live.socket import REVOKED
from overmind_web.server.credentials import LOOK_SECONDS, Credentials, Visitor
from overmind_web.server.guard import SUBPROTOCOL
from overmind_web.tty.flow import BadAcknowledgement, FlowWindow
from overmind_web.tty.protocol import (
    BYTES,
    BadRequest,
    Control,
    TerminalRequest,
    control_of,
    exit_message,
    item_message,
    request_of,
    size_message,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any, Protocol

    from starlette.types import Receive, Scope, Send

    from overmind_core.client.terminal_stream import Item
    from overmind_core.system.paths import Home
    from overmind_core.terminal.screen import Screen
    from overmind_web.supervisor import Supervisor

    class Page(Protocol):
        """The page's end of the socket, accepted; Starlette's `WebSocket` is one."""

        async def send_bytes(self, data: bytes) -> None:
            """Send a binary message."""

        async def send_text(self, data: str) -> None:
            """Send a text message."""

        async def receive(self) -> Any:  # noqa: ANN401  (an ASGI event)
            """The next event: `websocket.receive` or `websocket.disconnect`."""

        async def close(self, code: int = 1000, reason: str | None = None) -> None:
            """End it."""


HISTORY_ROWS: Final = 1_000
"""Above the screen that a page gets when it joins."""
HISTORY_BYTES: Final = 128 << 10
ENDED: Final = "not_running"
TOGETHER: Final = 32 << 10
"""Bytes that are sent as one message where they are there already."""
TYPED_LIMIT: Final = 4 << 20
"""Bytes that wait for a program which reads nothing; more is refused."""
RESET: Final = b"\x1bc"
"""Makes the page's terminal a fresh one, which `Screen.redraw` wants."""
_OVER: Final = frozenset({"ended", "handing_back", "detached"})
_POLICY_VIOLATION: Final = 1008
_CLOSING_SECONDS: Final = 1.0
_GONE: Final = (WebSocketDisconnect, RuntimeError, OSError)
"""What is raised where the page has left."""


class Last(NamedTuple):
    """A terminal as it was left."""

    screen: Screen
    facts: Mapping[str, object]
    """Of its mission: `name`, `status`, `exit_code`, and in words `why` it ended; "" where the exit code says it."""


class TerminalSocket:
    """One page's stay in a terminal.

    Args:
        page: Accepted.
        home: Whose supervisor.
        request: What the page asked for.
        by: In whose name.
        last_screen: Draws the last screen of a mission that has ended, and says what a page is told about it; None:
            there is none.
    """

    def __init__(
        self,
        page: Page,
        home: Home,
        request: TerminalRequest,
        by: str,
        last_screen: Callable[[], Awaitable[Last | None]],
    ) -> None:
        self._page = page
        self._types = request.mode == "type"
        self._last_screen = last_screen
        self._window = FlowWindow()
        self._stirred = asyncio.Event()
        self._closed = False
        self._may_write = False
        """Whether what is typed has a terminal to go to, as it was said last."""
        self._held: Item | None = None
        """Taken, and not sent yet."""
        loop = asyncio.get_running_loop()
        arguments = {
            "id": request.id, "read_only": not self._types, "keep": False,
            "columns": request.columns, "rows": request.rows,
        }  # fmt: skip
        arguments |= {} if self._types else {"looks": True}
        self._link = Link(
            home, arguments, partial(_stir, loop, self._stirred), scrollback=HISTORY_ROWS, scrollback_again=0, by=by
        )

    async def serve(self) -> None:
        """Relay until the page leaves or the stay is over."""
        self._link.start()
        relay, hears = asyncio.ensure_future(self._relay()), asyncio.ensure_future(self._hear())
        try:
            await asyncio.wait({relay, hears}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._closed = True
            self._link.close()
            for task in (hears, relay):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, *_GONE):
                    await task

    # to the page

    async def _relay(self) -> None:
        over = False
        while not over:
            await self._stirred.wait()
            self._stirred.clear()
            while not over and self._window.room and (item := self._next()) is not None:
                over = await self._send(item)
        await self._page.close()

    def _next(self) -> Item | None:
        """The next item; bytes that are there already come together."""
        item = self._link.take() if self._held is None else self._held
        self._held = None
        if not isinstance(item, bytes):
            return item
        pieces, size = [item], len(item)
        while size < min(TOGETHER, self._window.room) and (more := self._link.take()) is not None:
            if not isinstance(more, bytes):
                self._held = more
                break
            pieces.append(more)
            size += len(more)
        return b"".join(pieces) if len(pieces) > 1 else item

    async def _send(self, item: Item) -> bool:
        """Send one item; whether the stay is over with it."""
        match item:
            case bytes():
                await self._send_bytes(item)
            case Sized():
                await self._page.send_bytes(size_message(item.columns, item.rows))
            case Joined():
                await self._send_screen(item)
            case Exited():
                self._may_write = False
                await self._page.send_bytes(exit_message(item.code))
            case StateChange():
                await self._page.send_text(item_message(item.item))
                return item.item["type"] in _OVER
            case Failed():
                if item.code == ENDED and await self._show_last():
                    return True
                await self._say("failed", error=item.code, message=item.message)
                return True
            case Away():
                self._may_write = False
                await self._say("away")
            case Severed():
                await self._say("severed")
        return False

    async def _send_screen(self, joined: Joined) -> None:
        """The screen as it is now, on a fresh terminal of its size; a full-screen program may draw it better."""
        screen = joined.screen
        self._may_write = joined.write
        await self._say(
            "run", run=joined.run, write=joined.write, again=joined.again, columns=screen.columns, rows=screen.rows
        )
        await self._page.send_bytes(size_message(screen.columns, screen.rows))
        await self._send_bytes(drawn(screen))

    async def _show_last(self) -> bool:
        """Show a terminal that has ended as it was left; whether there is something to show."""
        last = await self._last_screen()
        if last is None:
            return False
        await self._page.send_bytes(size_message(last.screen.columns, last.screen.rows))
        await self._send_bytes(drawn(last.screen))
        await self._say("last", **last.facts)
        return True

    async def _send_bytes(self, data: bytes) -> None:
        self._window.send(len(data))
        await self._page.send_bytes(BYTES + data)

    async def _say(self, kind: str, **facts: object) -> None:
        await self._page.send_text(item_message({"type": kind, **facts}))

    # from the page

    async def _hear(self) -> None:
        while True:
            event: Mapping[str, Any] = await self._page.receive()
            if event["type"] == "websocket.disconnect":
                return
            try:
                if event.get("bytes") is not None:
                    await self._type(event["bytes"])
                else:
                    await self._obey(control_of(event.get("text") or ""))
            except (BadRequest, BadAcknowledgement) as error:
                await self._say("failed", error="invalid", message=f"No message of this protocol: {error}")
                await self._page.close(_POLICY_VIOLATION)
                return

    async def _type(self, data: bytes) -> None:
        """Pass on what was typed; refused where nobody would get it."""
        if self._types and self._may_write and self._link.joined and self._link.unsent + len(data) <= TYPED_LIMIT:
            self._link.type(data)
        elif data:
            await self._say("refused", bytes=len(data), full=self._link.joined and self._may_write)

    async def _obey(self, control: Control) -> None:
        if control.ack is not None and self._window.acknowledge(control.ack):
            self._stirred.set()
        if control.size is not None:
            self._link.resize(*control.size)
        if control.redraw:
            self._link.replay()
            if self._types:
                self._link.redraw()
        if control.interrupt and self._types:
            self._link.interrupt()
        if control.ping is not None:
            await self._say("pong", ping=control.ping)


def drawn(screen: Screen) -> bytes:
    """What a page's terminal is sent to show a screen, and to scroll to what has left it."""
    return RESET + screen.history(HISTORY_BYTES) + screen.redraw()


async def last_screen(supervisor: Supervisor, mission: str, by: str) -> Last | None:
    """The last screen of a mission that has ended, drawn from its log; None: it never had one, or nobody can say."""
    try:
        described = (await supervisor.call("logs", {"ids": [mission]}, by=by))["missions"][0]
        info = await supervisor.call("info", {"id": mission}, by=by)
        run = next(one for one in reversed(described["runs"]) if one["tty"])
        screen = await asyncio.to_thread(
            screen_at, from_wire(run["path"]), columns=run["columns"], rows=run["rows"], scrollback=HISTORY_ROWS
        )
    except (OvermindError, LookupError, StopIteration, OSError, ValueError):
        return None
    why = why_beside(info["reason"], limit_of(info))
    return Last(screen, {"name": info["name"], "status": info["status"], "exit_code": info["exit_code"], "why": why})


def _stir(loop: asyncio.AbstractEventLoop, stirred: asyncio.Event) -> None:
    """From the link's thread, which may live longer than the loop."""
    if not stirred.is_set():
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stirred.set)


class Terminals:
    """The ASGI application of terminals' sockets.

    Args:
        home: Whose supervisor.
        credentials: Says when a login has ended.
        supervisor: Knows the missions that have ended.
    """

    def __init__(self, home: Home, credentials: Credentials, supervisor: Supervisor) -> None:
        self._home = home
        self._supervisor = supervisor
        self._credentials = credentials
        self._open: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one, for somebody who is logged in, until the login ends."""
        page = WebSocket(scope, receive, send)
        await page.accept(SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None)
        visitor: Visitor = scope["state"]["visitor"]
        serving = asyncio.ensure_future(self._serve(page, visitor))
        self._open.add(serving)
        ends = self._credentials.watch(partial(self._check, visitor, serving))
        counts = asyncio.ensure_future(self._end_with_login(visitor, serving))
        try:
            await serving
        except asyncio.CancelledError:
            await _close(page, REVOKED)
        finally:
            counts.cancel()
            ends()
            self._open.discard(serving)

    def end(self) -> None:
        """End all."""
        for serving in tuple(self._open):
            serving.cancel()

    async def _serve(self, page: WebSocket, visitor: Visitor) -> None:
        try:
            request = request_of(page.query_params)
        except BadRequest as error:
            await _refuse(page, "invalid", str(error))
            return
        if visitor.read_only and request.mode == "type":
            await _refuse(page, "forbidden", "This login may look, and type nothing.")
            return
        last = partial(last_screen, self._supervisor, request.id, visitor.by)
        await TerminalSocket(page, self._home, request, visitor.by, last).serve()

    async def _end_with_login(self, visitor: Visitor, serving: asyncio.Task[None]) -> None:
        """End it when its login's time is over, or when it ended while the socket was being opened."""
        while (left := visitor.expires_at - time.time()) > 0:
            await self._check(visitor, serving)
            await asyncio.sleep(min(left, LOOK_SECONDS))
        serving.cancel()

    async def _check(self, visitor: Visitor, serving: asyncio.Task[None]) -> None:
        """End it when its login has ended; while nobody can say so, it goes on."""
        with contextlib.suppress(OvermindError):
            if await self._credentials.check(visitor.secrets) is None:
                serving.cancel()


async def _refuse(page: WebSocket, code: str, message: str) -> None:
    await page.send_text(item_message({"type": "failed", "error": code, "message": message}))
    await _close(page, _POLICY_VIOLATION)


async def _close(page: Page, code: int) -> None:
    """Close a socket that may be closed already, or whose browser reads nothing."""
    with contextlib.suppress(TimeoutError, *_GONE):
        async with asyncio.timeout(_CLOSING_SECONDS):
            await page.close(code)
