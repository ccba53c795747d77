"""The composition root of the web server: every part is made, connected and ended here."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send

from overmind_core.domain.operations import web_verbs
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_web.live.feed import Change, Feed
from overmind_web.live.socket import Tabs
from overmind_web.rest.api import Api
from overmind_web.server import static
from overmind_web.server.address import Address
from overmind_web.server.credentials import EVENT, REVOKED, Credentials, SupervisorCredentials
from overmind_web.server.guard import Guard
from overmind_web.server.login import Logins, error_response
from overmind_web.server.serving import WebServer
from overmind_web.supervisor import Supervisor

if TYPE_CHECKING:
    from overmind_web.tty.terminal import Terminals

END_SECONDS = 1.75
"""For everything to end; what has not by then goes down with the process."""
_FOREVER = "public, max-age=31536000, immutable"


class WebApp:
    """The web server of a home.

    Args:
        home: Whose daemon.
        address: Where browsers find it.
        sockets: They listen already.
        context: Speaks TLS; None: plain HTTP.
    """

    def __init__(
        self,
        home: Home,
        address: Address,
        sockets: Sequence[socket.socket],
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.supervisor = Supervisor(home)
        self.feed = Feed(self.supervisor)
        self._credentials = SupervisorCredentials(self.supervisor)
        self._files = static.load()
        hello = {"static": self._files.version, "verbs": web_verbs()}
        self._tabs = Tabs(self.supervisor, self.feed, self._credentials, hello)
        self._rechecks: set[asyncio.Task[None]] = set()
        self._terminals = LateTerminals(home, self._credentials, self.supervisor)
        logins = Logins(address, self._credentials)
        router = Router(
            [
                Route("/", self._shell, methods=["GET"]),
                Route("/s/{version}/{name:path}", self._static, methods=["GET"]),
                Route("/login", logins.login, methods=["POST"]),
                Route("/logout", logins.logout, methods=["POST"]),
                WebSocketRoute("/ws", self._tabs),
                WebSocketRoute("/tty", self._terminals),
                *Api(self.supervisor, self._credentials).routes(),
            ],
            redirect_slashes=False,
            default=_unknown,
        )
        self._server = WebServer(Guard(router, address, self._credentials), sockets, context=context)

    async def run(self, stop: asyncio.Event, listens: Callable[[], object]) -> None:
        """Serve until `stop` is set; `listens` is called once browsers can come.

        It ends within `END_SECONDS`, whoever waits for whatever: a daemon that answers nothing holds up neither the
        beginning nor the end.
        """
        loop = asyncio.get_running_loop()
        beginning, stopping = loop.create_task(self._begin(listens)), loop.create_task(stop.wait())
        try:
            await asyncio.wait({beginning, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if beginning.done():
                beginning.result()
                await stopping
        finally:
            beginning.cancel()
            stopping.cancel()
            await asyncio.wait({loop.create_task(self._end())}, timeout=END_SECONDS)

    async def _begin(self, listens: Callable[[], object]) -> None:
        await self.supervisor.start()
        self.supervisor.subscribe(self._on_reached)
        self.feed.subscribe(self._on_change)
        self.feed.start()
        await self._server.start()
        listens()

    async def _end(self) -> None:
        self._tabs.end()
        self._terminals.end()
        await self._server.stop()
        await self.feed.close()
        await self.supervisor.close()

    async def _shell(self, request: Request) -> Response:
        del request
        return Response(self._files.shell.body, media_type=self._files.shell.type)

    async def _static(self, request: Request) -> Response:
        file = self._files.files.get(request.path_params["name"])
        if file is None or request.path_params["version"] != self._files.version:
            return error_response(OvermindError("not_found", "There is no such file."))
        headers = {"cache-control": _FOREVER}
        if not file.packs:
            return Response(file.body, media_type=file.type, headers=headers)
        headers["vary"] = "Accept-Encoding"
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(file.body, media_type=file.type, headers=headers)
        headers["content-encoding"] = "gzip"
        return Response(static.packed(file), media_type=file.type, headers=headers)

    def _on_change(self, change: Change) -> None:
        if any(event["type"] == EVENT and event.get("change") == REVOKED for event in change.events):
            self._recheck(self._credentials.revoked)
        elif change.everything:  # events were missed, and one of them may have said so
            self._recheck(self._credentials.returned)

    def _on_reached(self, up: bool) -> None:  # noqa: FBT001  (what a subscriber is called with)
        if up:
            self._recheck(self._credentials.returned)

    def _recheck(self, check: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(check())
        self._rechecks.add(task)
        task.add_done_callback(self._rechecks.discard)


class LateTerminals:
    """The sockets of terminals, loaded with the first of them: the emulator is a third of what a start would load.

    Args:
        home: Whose missions.
        credentials: Says when a login has ended.
        supervisor: Knows the missions that have ended.
    """

    def __init__(self, home: Home, credentials: Credentials, supervisor: Supervisor) -> None:
        self._home, self._credentials, self._supervisor = home, credentials, supervisor
        self._terminals: Terminals | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one."""
        if self._terminals is None:
            from overmind_web.tty.terminal import Terminals  # noqa: PLC0415 - see above

            self._terminals = Terminals(self._home, self._credentials, self._supervisor)
        await self._terminals(scope, receive, send)

    def end(self) -> None:
        """End all."""
        if self._terminals is not None:
            self._terminals.end()


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what no route is for."""
    response = error_response(OvermindError("not_found", "There is no such page."))
    if scope["type"] == "websocket":
        await send({"type": "websocket.http.response.start", "status": 404, "headers": response.raw_headers})
        await send({"type": "websocket.http.response.body", "body": response.body})
        return
    await response(scope, receive, send)
