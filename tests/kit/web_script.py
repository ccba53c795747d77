"""A script that asks the web server with a token; what it is answered is held against the server's own document."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

from jsonschema import Draft202012Validator

from overmind_web.server.status import http_status

PATIENCE = 30.0
"""Seconds for anything to be answered on a busy machine."""
ROOT = "/api/v1"


class Reply(NamedTuple):
    """An answer that is no stream."""

    status: int
    type: str
    body: bytes

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Its error's code; "" for none."""
        return "" if self.status == http.client.OK else str(self.json["error"])


class StreamEvent(NamedTuple):
    """One server-sent event; a comment has the kind ""."""

    kind: str
    data: Any
    id: str | None


class WebScript:
    """Somebody elsewhere, with a token.

    Args:
        port: Of the web server on 127.0.0.1.
        token: The secret; "" for none.
    """

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token

    @cached_property
    def document(self) -> dict[str, Any]:
        """What the server says that it can be asked."""
        reply = self.raw("GET", "/openapi.json")
        assert reply.status == http.client.OK, reply
        found: dict[str, Any] = reply.json
        return found

    def open(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Ask, and return the connection with the beginning of its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        login = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        connection.request(method, path, body, {**login, **(headers or {})})
        return connection, connection.getresponse()

    def raw(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Ask, and read the whole answer."""
        connection, answer = self.open(method, path, body, headers)
        with closing(connection), answer:
            return Reply(answer.status, (answer.getheader("Content-Type") or "").partition(";")[0], answer.read())

    def get(self, name: str, query: Mapping[str, Any] | Sequence[tuple[str, str]] = ()) -> Reply:
        """Ask for what only reads; lists repeat their name."""
        words = query if not isinstance(query, Mapping) else {key: _written(value) for key, value in query.items()}
        text = urlencode(words, doseq=True)
        return self._held("get", name, self.raw("GET", f"{ROOT}/{quote(name)}" + (f"?{text}" if text else "")))

    def post(self, name: str, arguments: object) -> Reply:
        """Ask for anything, with the arguments as JSON."""
        headers = {"Content-Type": "application/json"}
        return self._held("post", name, self.raw("POST", f"{ROOT}/{name}", json.dumps(arguments).encode(), headers))

    def text(self, path: str) -> str:
        """The log or the screen of a mission."""
        reply = self.raw("GET", f"{ROOT}/{path}")
        assert (reply.status, reply.type) == (http.client.OK, "text/plain"), reply
        return reply.body.decode()

    def follow(self, path: str, headers: Mapping[str, str] | None = None) -> WebStream:
        """A stream, once it is entered."""
        return WebStream(self, path, headers)

    # held against the document

    def _held(self, method: str, name: str, reply: Reply) -> Reply:
        if reply.status != http.client.OK:
            self.hold({"$ref": "#/components/schemas/ApiError"}, reply.json)
            assert reply.status == http_status(reply.json["error"]), reply
            return reply
        told = self.document["paths"][f"/{name}"][method]["responses"]["200"]
        if reply.type == "text/event-stream":
            for event in events(reply.body.splitlines(keepends=True)):
                self.hold(told["x-stream"][event.kind], event.data)
        else:
            self.hold(told["content"][reply.type]["schema"], reply.json)
        return reply

    def hold(self, schema: Mapping[str, Any], value: object) -> None:
        """Hold a value against a schema of the document."""
        Draft202012Validator({**schema, "components": self.document["components"]}).validate(value)


def _written(value: object) -> object:
    """A value, or each of a list, as a query has it."""
    if isinstance(value, list):
        return [_written(one) for one in value]
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def events(lines: Iterator[bytes] | Sequence[bytes]) -> Iterator[StreamEvent]:
    """The events in the lines of a stream, as a browser would take them."""
    kind, data, number = "", "", None
    for line in lines:
        text = line.decode().rstrip("\n")
        name, _, value = text.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            data = value
        elif name == "id":
            number = value
        elif text == ":":
            yield StreamEvent("", None, None)
        elif not text and kind:
            yield StreamEvent(kind, json.loads(data), number)
            kind, data, number = "", "", None


class WebStream:
    """A stream of events; a context manager that goes away.

    Attributes:
        status: Of the answer.
    """

    def __init__(self, script: WebScript, path: str, headers: Mapping[str, str] | None) -> None:
        self._script = script
        self._path = path
        self._headers = headers

    def __enter__(self) -> Self:
        self._connection, self.answer = self._script.open("GET", f"{ROOT}/{self._path}", None, self._headers)
        self.status = self.answer.status
        self._told = self._script.document["paths"]["/" + self._path.partition("?")[0]]["get"]["responses"]["200"]
        self._events = events(self.answer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.answer.close()
        self._connection.close()

    def __iter__(self) -> Iterator[StreamEvent]:
        """Each event, but for comments, until the stream ends."""
        for event in self._events:
            if event.kind:
                self._script.hold(self._told["x-stream"][event.kind], event.data)
                yield event

    def until(self, kind: str, **facts: object) -> StreamEvent:
        """The next event of this kind whose data has these facts."""
        return next(one for one in self if one.kind == kind and facts.items() <= one.data.items())
