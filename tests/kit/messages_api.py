"""A loopback stub of the Anthropic Messages API: the real program talks to it, and it answers by the directives.

The answer depends on the request alone, so a test can tell what was sent. Nothing of it reaches a network.
"""

from __future__ import annotations

import http.server
import itertools
import json
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.kit import directives, messages_stream
from tests.kit.directives import Reply
from tests.kit.messages_request import last_text, tool_results, user_texts

ERRORS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error",
}  # fmt: skip
RATE_LIMITED = 429
PATIENCE = 120.0
"""Seconds for which half of an answer is kept back at most: a test that has failed meanwhile leaves nobody waiting."""


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case; without the key."""
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What the person said last; "" = this request reports what tools said."""
        return last_text(self.body)


class MessagesApi:
    """The server; as a context manager it listens while the block runs.

    Attributes:
        url: For ANTHROPIC_BASE_URL.
        requests: Those so far, oldest first.
        half: Set once the first half of an answer was streamed that halts there.
        rest: Set by a test: the second half may come.
        model: Answers a request by its body where the prompts are not the test's own; None: the directives do.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.numbers = itertools.count(1)
        self.half, self.rest = threading.Event(), threading.Event()
        self.model: Callable[[Mapping[str, Any]], Reply | None] = lambda _body: None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def texts(self) -> list[str]:
        """What the person said, request by request; those that report what tools said are left out."""
        return [request.text for request in self.requests if request.text]


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    api: MessagesApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Requests are kept, not printed."""

    def do_HEAD(self) -> None:
        """Answer that somebody is here."""
        self._keep({})
        self._send(200, {})

    def do_GET(self) -> None:
        """Answer for the few addresses that are looked at."""
        self._keep({})
        known: dict[str, dict[str, Any]] = {"/": {"ok": True}, "/v1/models": {"data": [], "has_more": False}}
        path = self.path.split("?")[0]
        self._send(200, known[path]) if path in known else self._fail(Reply(error=404))

    def do_POST(self) -> None:
        """Answer a message."""
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        self._keep(body)
        path = self.path.split("?")[0]
        if path == "/v1/messages/count_tokens":
            self._send(200, {"input_tokens": messages_stream.tokens(body)})
        elif path == "/v1/messages":
            self._answer(body)
        else:
            self._fail(Reply(error=404))

    def _answer(self, body: Mapping[str, Any]) -> None:
        said, results = last_text(body), tool_results(body)
        # Where neither a person nor a tool has said anything since, the program tells what became of its own work.
        texts = user_texts(body) if said or results else ["noted"]
        reply = self.server.api.model(body) or directives.reply(texts, results, tools=bool(body.get("tools")))
        if reply.error:
            self._fail(reply)
            return
        time.sleep(reply.delay)
        message = messages_stream.message(next(self.server.api.numbers), body, reply)
        if body.get("stream"):
            self._stream(list(messages_stream.events(message, reply.spread or reply.halts)), halts=reply.halts)
        else:
            self._send(200, message)

    def _stream(self, events: Sequence[tuple[float, Mapping[str, Any]]], *, halts: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("request-id", self._request_id())
        self.end_headers()
        for number, (pause, event) in enumerate(events):
            if halts and number == len(events) // 2:
                self.server.api.half.set()
                self.server.api.rest.wait(PATIENCE)
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            time.sleep(pause)
        self.wfile.write(b"0\r\n\r\n")

    def _fail(self, reply: Reply) -> None:
        error = {"type": ERRORS.get(reply.error, "api_error"), "message": f"stub error {reply.error}"}
        headers = {"retry-after": "1"} if reply.error == RATE_LIMITED else {}
        if reply.resets_in:
            headers |= _limit(int(time.time()) + reply.resets_in)
        self._send(reply.error, {"type": "error", "error": error}, headers)

    def _send(self, status: int, answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        more = {"content-type": "application/json", "content-length": str(len(data)), "request-id": self._request_id()}
        more |= headers or {}
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _request_id(self) -> str:
        return f"req_stub_{len(self.server.api.requests)}"

    def _keep(self, body: Mapping[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        public = {name: value for name, value in headers.items() if name not in {"x-api-key", "authorization"}}
        self.server.api.requests.append(Request(self.command, self.path, public, body))


def _limit(resets_at: int) -> dict[str, str]:
    """Headers of a subscription whose limit resets at this time, in seconds since the epoch."""
    unified = "anthropic-ratelimit-unified"
    return {
        f"{unified}-status": "rejected",
        f"{unified}-reset": str(resets_at),
        f"{unified}-representative-claim": "five_hour",
        f"{unified}-5h-status": "rejected",
        f"{unified}-5h-reset": str(resets_at),
        f"{unified}-5h-utilization": "1.0",
    }
