"""One tab: its socket, its panes, its presses.

All that is sent goes through one task, so that a browser that does not read holds back everything of its own and
nothing of others. Frames of panes are gathered for 50 ms; answers, and what a page has just asked its panes for, are
not.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from overmind_core.errors import OvermindError
from overmind_core.version import VERSION
from overmind_web.live.feed import Feed
from overmind_web.live.fleet import FleetChange
from overmind_web.live.messages import (
    Close,
    Do,
    Look,
    Open,
    Page,
    Ping,
    Pong,
    Say,
    Window,
    decode,
    encode,
)
from overmind_web.live.pane import Pane, PaneContext
from overmind_web.live.presence import Presence
from overmind_web.live.presses import press
from overmind_web.pages import registry
from overmind_web.server.credentials import LOOK_SECONDS, Credentials, Visitor
from overmind_web.server.guard import SUBPROTOCOL
from overmind_web.supervisor import Supervisor

GATHER = 0.05
"""Seconds between two sendings of frames."""
PING_SECONDS = 10.0
SILENCE_SECONDS = 45.0
"""Without a word of the page for so long the socket is closed: the page notices at once when it wakes up."""
HEAD = -1
"""What stands at the top of every page, among the numbers of panes."""
MOST_PANES = 8
MOST_PRESSES = 32
"""Presses that are not answered yet; the socket is not read meanwhile."""
MOST_UNSENT = 64
"""Messages that wait to be sent, from which on nothing more is read, of the page and of streams."""
SEEN = "seen"
LAST_WORDS_SECONDS = 0.5
ENDED, REVOKED, BROKEN = 1001, 4401, 4400
"""Codes with which a socket is closed: the server ends; the login ended; the page sent nonsense."""
_log = logging.getLogger(__name__)


class Tab:
    """One open socket.

    Args:
        scope: Of the socket; somebody is logged in.
        receive: Its messages.
        send: To it.
        supervisor: Asked for what the tab wants.
        feed: Tells what happens.
        credentials: Says when the login has ended.
        hello: More of the first message.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        supervisor: Supervisor,
        feed: Feed,
        credentials: Credentials,
        hello: Mapping[str, object],
    ) -> None:
        self._visitor: Visitor = scope["state"]["visitor"]
        self._offered: list[str] = list(scope["subprotocols"])
        self._receive, self._send = receive, send
        self._supervisor, self._feed, self._credentials = supervisor, feed, credentials
        self._hello = hello
        self._panes: dict[int, Pane] = {}
        self._dirty: set[int] = set()
        self._asked: dict[int, int] = {}
        """Panes that the page has asked for something: so many frames do not wait for what comes by itself."""
        self._head_sent: Mapping[str, object] = {}
        self._said: deque[bytes] = deque()
        self._unsent_room = asyncio.Event()
        self._unsent_room.set()
        self._ring = asyncio.Event()
        self._presses: set[asyncio.Task[None]] = set()
        self._press_room = asyncio.Semaphore(MOST_PRESSES)
        self._presence = Presence(supervisor, self._visitor.by, self._call_person)
        self._heard_at = 0.0
        self._end_code: int | None = None
        self._ended = asyncio.Event()
        self._opening: dict[int, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Serve it to its end."""
        await self._receive()  # websocket.connect
        chosen = SUBPROTOCOL if SUBPROTOCOL in self._offered else None
        await self._send({"type": "websocket.accept", "subprotocol": chosen})
        self._heard_at = asyncio.get_running_loop().time()
        ends = [
            self._supervisor.subscribe(lambda _: self._say_up()),
            self._feed.fleet.subscribe(self._on_fleet),
            self._credentials.watch(self._check_login),
        ]
        self._say(
            {
                "t": "hello",
                "name": self._visitor.name,
                "read_only": self._visitor.read_only,
                "version": VERSION,
                "now": time.time(),
                "pages": registry.shown(),
                **self._hello,
            }
        )
        self._say_up()
        self._waker(HEAD)()
        loop = asyncio.get_running_loop()
        works = self._read_all, self._send_all, self._beat, self._look_at_login, self._wait_for_end
        tasks = [loop.create_task(work()) for work in works]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end()
            await _cancel([*tasks, *self._presses, *self._opening.values()])
            for pane in self._panes.values():
                await pane.close()
            await self._presence.close()
            await self._close()

    def end(self, code: int = ENDED) -> None:
        """End the socket, after what has been said."""
        if self._end_code is None:
            self._end_code = code
            self._ended.set()
            self._ring.set()

    async def _wait_for_end(self) -> None:
        """Return once it is to end, and a browser that reads has had time for what was said."""
        await self._ended.wait()
        await asyncio.sleep(LAST_WORDS_SECONDS)

    async def _close(self) -> None:
        with suppress(Exception):  # it may have ended by itself
            async with asyncio.timeout(1.0):
                await self._send({"type": "websocket.close", "code": self._end_code or ENDED})

    # What is sent.

    def _say(self, message: Mapping[str, object]) -> None:
        self._said.append(encode(message))
        if len(self._said) > MOST_UNSENT:
            self._unsent_room.clear()
        self._ring.set()

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        due = rings_at = 0.0
        while True:
            await self._ring.wait()
            self._ring.clear()
            while self._said:
                await self._send_text(self._said.popleft())
                self._unsent_room.set()
            if self._end_code is not None:
                return  # the socket is closed after it
            is_early = loop.time() < due
            dirty = self._dirty & self._asked.keys() if is_early else set(self._dirty)
            self._dirty -= dirty
            for number in sorted(dirty):
                await self._send_frame(number)
            if dirty and not is_early:
                due = loop.time() + GATHER
            if self._dirty and rings_at < due:
                rings_at = due
                loop.call_at(due, self._ring.set)

    async def _send_frame(self, number: int) -> None:
        if number == HEAD:
            await self._send_head()
            return
        pane = self._panes.get(number)
        if pane is None:
            return
        try:
            frame = pane.frame()
        except Exception:  # noqa: BLE001 - the boundary: the other panes go on
            _log.exception("a pane could not be shown")
            frame = {"t": "failed", "error": "internal", "message": "This part can't be shown. See the server's log."}
        if frame is not None:
            self._answered(number)
            await self._send_text(encode({**frame, "p": number}))

    def _answered(self, number: int) -> None:
        """One frame less is asked for; a pane that has more to say may have more of what was asked for."""
        asked = self._asked.pop(number, 0)
        left = max(asked - 1, 1 if number in self._dirty else 0)
        if asked and left:
            self._asked[number] = left

    async def _send_head(self) -> None:
        head = self._feed.fleet.head()
        if head != self._head_sent and self._feed.ready.is_set():
            self._head_sent = head
            await self._send_text(encode({"t": "head", **head}))

    async def _send_text(self, text: bytes) -> None:
        await self._send({"type": "websocket.send", "text": text.decode()})

    async def _beat(self) -> None:
        """Ping, until the page has been silent for too long."""
        loop = asyncio.get_running_loop()
        while loop.time() - self._heard_at < SILENCE_SECONDS:
            left = self._visitor.expires_at - time.time()
            if left <= 0:
                self._end_login("unauthorized")
            await asyncio.sleep(max(0.1, min(PING_SECONDS, left)))
            self._say({"t": "ping"})

    def _say_up(self) -> None:
        self._say({"t": "up", "ok": self._supervisor.up, "message": self._supervisor.message})

    def _on_fleet(self, change: FleetChange) -> None:
        del change
        self._waker(HEAD)()

    def _call_person(self, event: Mapping[str, Any]) -> None:
        mission = str(event["mission"])
        name = self._feed.missions.get(mission, {}).get("name", mission)
        self._say({"t": "ring", "mission": mission, "name": name, "why": event["why"], "now": event["now"]})

    async def _look_at_login(self) -> None:
        """Check it again and again: it may have ended while the socket was being opened, or nobody could say so."""
        while True:
            await self._check_login()
            await asyncio.sleep(LOOK_SECONDS)

    async def _check_login(self) -> None:
        try:
            visitor = await self._credentials.check(self._visitor.secrets)
        except OvermindError:
            return  # asked again when the daemon returns
        if visitor is None:
            self._end_login("revoked")
        else:
            self._visitor = visitor

    def _end_login(self, error: str) -> None:
        self._say({"t": "bye", "error": error})
        self.end(REVOKED)

    # What is received.

    async def _read_all(self) -> None:
        while True:
            await self._unsent_room.wait()  # who reads no answers asks for nothing more
            message = await self._receive()
            if message["type"] != "websocket.receive" or self._end_code is not None:
                return
            self._heard_at = asyncio.get_running_loop().time()
            self._presence.answered()
            try:
                await self._take(message.get("text") or "")
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                self._say({"t": "bye", "error": "invalid", "message": f"Not a message: {error}"[:200]})
                self.end(BROKEN)
                await self._wait_for_end()
                return

    async def _take(self, text: str) -> None:
        message = decode(text)
        if isinstance(message, Ping):
            self._say({"t": "pong"})
        elif isinstance(message, Look):
            if not self._visitor.read_only:  # who can't answer takes no call from who can
                self._presence.look(message)
        elif isinstance(message, Do):
            await self._press_room.acquire()
            task = asyncio.get_running_loop().create_task(self._press(message))
            self._presses.add(task)
            task.add_done_callback(self._pressed)
        elif isinstance(message, Open):
            await self._open(message)
        elif isinstance(message, Close):
            await self._close_pane(message.p)
        elif isinstance(message, Window | Page | Say):
            pane = self._panes.get(message.p)
            if pane is not None:
                # each page of a log is a frame, what else is asked for comes with the next one
                others = self._asked.get(message.p, 0)
                self._asked[message.p] = others + 1 if isinstance(message, Page) else max(others, 1)
                await pane.handle(message)
        else:
            assert isinstance(message, Pong)

    async def _open(self, message: Open) -> None:
        number = message.p
        await self._close_pane(number)
        opens = registry.opener(message.view)
        if opens is None or len(self._panes) >= MOST_PANES:
            text = f"There is no view {message.view!r}." if opens is None else f"A tab has {MOST_PANES} panes at most."
            self._pane_failed(number, OvermindError("not_found" if opens is None else "too_large", text))
            return
        visitor, wake = self._visitor, self._waker(number)
        context = PaneContext(self._supervisor, self._feed, visitor.by, visitor.read_only, wake)
        try:
            self._panes[number] = pane = opens(context, message)
        except OvermindError as error:
            self._pane_failed(number, error)
            return
        self._asked[number] = 1
        self._opening[number] = asyncio.get_running_loop().create_task(self._start_pane(number, pane))

    async def _start_pane(self, number: int, pane: Pane) -> None:
        """Have it fetch what it shows, while the socket is read on: a slow answer must not look like a dead server."""
        try:
            await pane.start()
        except OvermindError as error:
            self._pane_failed(number, error)
        self._waker(number)()

    async def _close_pane(self, number: int) -> None:
        opening = self._opening.pop(number, None)
        if opening is not None:
            await _cancel([opening])
        self._asked.pop(number, None)
        pane = self._panes.pop(number, None)
        if pane is not None:
            await pane.close()

    def _pane_failed(self, number: int, error: OvermindError) -> None:
        self._say({"t": "failed", "p": number, "error": error.code, "message": error.message})

    def _waker(self, number: int) -> Callable[[], None]:
        def wake() -> None:
            self._dirty.add(number)
            self._ring.set()

        return wake

    async def _press(self, message: Do) -> None:
        answer: dict[str, object] = {"t": "did", "n": message.n}
        try:
            lines = press(self._supervisor, self._visitor, message.verb, message.args)
            async with aclosing(lines):
                async for kind, content in lines:
                    if kind == "ok":
                        answer["ok"] = content
                        self._did(message)
                    elif kind == "item":
                        await self._unsent_room.wait()
                        self._say({"t": "item", "n": message.n, "item": content})
        except OvermindError as error:
            answer = {**error.fields, "t": "did", "n": message.n, "error": error.code, "message": error.message}
        except Exception:  # noqa: BLE001 - the boundary: the tab goes on
            _log.exception("a press failed")
            answer = {"t": "did", "n": message.n, "error": "internal", "message": OvermindError("internal").message}
        self._say(answer)
        await self._unsent_room.wait()

    def _did(self, message: Do) -> None:
        """No event tells that somebody has looked at a mission."""
        mission = message.args.get("id")
        if message.verb == SEEN and isinstance(mission, str):
            self._feed.fleet.saw(mission)

    def _pressed(self, task: asyncio.Task[None]) -> None:
        self._presses.discard(task)
        self._press_room.release()


class Tabs:
    """The ASGI application of tabs' sockets.

    Args:
        supervisor: Asked for what tabs want.
        feed: Tells what happens.
        credentials: Says when a login has ended.
        hello: More of each tab's first message.
    """

    def __init__(
        self, supervisor: Supervisor, feed: Feed, credentials: Credentials, hello: Mapping[str, object]
    ) -> None:
        self._supervisor, self._feed, self._credentials = supervisor, feed, credentials
        self._hello = hello
        self._open: set[Tab] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one."""
        tab = Tab(
            scope,
            receive,
            send,
            supervisor=self._supervisor,
            feed=self._feed,
            credentials=self._credentials,
            hello=self._hello,
        )
        self._open.add(tab)
        try:
            await tab.serve()
        finally:
            self._open.discard(tab)

    def end(self) -> None:
        """End all."""
        for tab in tuple(self._open):
            tab.end()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception) and type(result).__name__ != "ClientDisconnected":
            _log.error("a tab failed", exc_info=result)
