"""`/api/v1/…`: the requests of the daemon's socket over HTTP, its streams as events, and logs and screens as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overmind_core.errors import OvermindError
from overmind_web.live.presses import passed_on
from overmind_web.rest import openapi, sse
from overmind_web.rest.texts import Texts
from overmind_web.server import offered
from overmind_web.server.credentials import Credentials, Visitor
from overmind_web.server.login import error_response, json_response, read_body
from overmind_web.supervisor import Supervisor

ROOT = "/api/v1"
GET, POST = ["GET"], ["POST"]
METHODS = [*GET, *POST, "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
MOST_PAIRS = 1_000
"""Names with values in a query."""
LAST_EVENT = "last-event-id"
Handler = Callable[[Request], Awaitable[Response]]


class Api:
    """The routes for scripts.

    Args:
        supervisor: Answers.
        credentials: Say when a login has ended, while a stream goes on.
    """

    def __init__(self, supervisor: Supervisor, credentials: Credentials) -> None:
        self._supervisor = supervisor
        self._credentials = credentials
        self._texts = Texts(supervisor)

    def routes(self) -> list[Route]:
        """Return the routes."""
        found = [
            Route("/openapi.json", _guarded(self.document), methods=GET),
            Route(f"{ROOT}/events", _guarded(self.events), methods=GET),
            Route(f"{ROOT}/log/{{id}}", _guarded(self.log), methods=GET),
            Route(f"{ROOT}/screen/{{id}}", _guarded(self.screen), methods=GET),
            Route(f"{ROOT}/{{verb}}", _guarded(self.read), methods=GET),
            Route(f"{ROOT}/{{verb}}", _guarded(self.ask), methods=POST),
            Route(f"{ROOT}/{{rest:path}}", _nothing, methods=METHODS),
        ]
        for route in found[:-1]:
            (route.methods or set()).discard("HEAD")  # a stream would begin for nobody
        return found

    async def document(self, request: Request) -> Response:
        """Say what there is to ask."""
        del request
        return Response(openapi.text(), media_type="application/json")

    async def ask(self, request: Request) -> Response:
        """Pass a request on, with the arguments of its body."""
        return await self._answer(request, await _body_arguments(request))

    async def read(self, request: Request) -> Response:
        """Pass a request on that only reads, with the arguments of its query."""
        verb = request.path_params["verb"]
        row = offered.operation(verb)
        if verb not in openapi.queries():
            offered.checked(verb, {}, read_only=_visitor(request).read_only)
            raise OvermindError("invalid", f"{row.name} takes its arguments as JSON: ask with POST.")
        return await self._answer(request, _query(request, verb))

    async def events(self, request: Request) -> Response:
        """Follow the event log, from where somebody who comes back has stopped."""
        query = _query(request, "events")
        last = request.headers.get(LAST_EVENT)
        if last is not None:
            query |= openapi.query_arguments("events", [("since", last)])
        lines = passed_on(self._supervisor, _visitor(request), "events", {"follow": True, **query})
        return await sse.respond(lines, self._credentials, _visitor(request), numbered=True)

    async def log(self, request: Request) -> Response:
        """Print a log."""
        return await self._texts.log(_visitor(request), request.path_params["id"], _query(request, "log/{id}"))

    async def screen(self, request: Request) -> Response:
        """Print a screen."""
        return await self._texts.screen(_visitor(request), request.path_params["id"], _query(request, "screen/{id}"))

    async def _answer(self, request: Request, arguments: dict[str, Any]) -> Response:
        verb, visitor = request.path_params["verb"], _visitor(request)
        row = offered.checked(verb, arguments, read_only=visitor.read_only)
        lines = passed_on(self._supervisor, visitor, verb, arguments)
        if row.is_stream(arguments):
            return await sse.respond(lines, self._credentials, visitor)
        async for _, answer in lines:
            return json_response(answer)
        raise OvermindError("daemon_lost")


async def _nothing(request: Request) -> Response:
    """Refuse what no route is for."""
    if request.method not in {*GET, *POST}:
        return error_response(OvermindError("invalid", f"Ask with GET or POST, not with {request.method[:16]}."))
    return error_response(OvermindError("not_found", "There is no such path. See openapi.json."))


def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.scope["state"]["visitor"]
    return visitor


def _guarded(handler: Handler) -> Handler:
    """Return the handler, whose errors are answers."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except OvermindError as error:
            return error_response(error)

    return handle


def _query(request: Request, path: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(request.scope["query_string"]),
            errors="strict",
            max_num_fields=MOST_PAIRS,
        )
    except ValueError:  # also bytes that are no text
        raise OvermindError("invalid", "The query is not name=value&… in UTF-8.") from None
    return openapi.query_arguments(path, pairs)


async def _body_arguments(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(request)
    if request.scope["query_string"]:
        raise OvermindError("invalid", "A POST takes its arguments from its body alone.")
    if not body:
        return {}
    if kind != "application/json":
        raise OvermindError("invalid", "The body must be JSON, with Content-Type: application/json.")
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OvermindError("invalid", f"The body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise OvermindError("invalid", "The body must be an object with the arguments.")
    return found
