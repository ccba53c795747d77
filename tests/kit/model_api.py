"""A loopback stub of the models that agents other than claude talk to: OpenAI's two ways, and Gemini's.

The answer depends on the request alone, by the directives; which way is meant says the address.
"""

from __future__ import annotations

import http.server
import itertools
import json
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from tests.kit import directives
from tests.kit.directives import Block, Reply, ToolResult

Body = Mapping[str, Any]
Event = dict[str, Any]

OUTPUT, CACHED = 7, 3
"""Tokens of each answer, and those of each request that were cached."""
SHELLS = {
    "exec_command": "cmd",
    "shell": "command",
    "run_shell_command": "command",
    "bash": "command",
}
"""Tools that run a command → the argument that holds it."""
PIECES = 10
PATIENCE = 120.0
"""Seconds for which half of an answer is kept back at most: a test that has failed meanwhile leaves nobody waiting."""
KINDS = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
"""A status → its name in OpenAI's errors."""


class Asked(NamedTuple):
    """The prompts, results and tools of a request."""

    texts: Sequence[str]
    """Those of the person so far; texts that a program adds by itself are left out."""
    results: Sequence[ToolResult]
    """Those of tools since."""
    tools: Sequence[str]


class Request(NamedTuple):
    """One request as it came."""

    path: str
    body: Body
    asked: Asked
    tokens: int
    """As the answer counts them."""


class ModelApi:
    """The server; as a context manager it listens while the block runs.

    Attributes:
        url: Its address.
        requests: Those that asked for an answer, oldest first.
        failures: What the next requests with tools fail with, by HTTP status; each is taken once.
        half: Set once the first half of an answer was streamed that halts there.
        rest: Set by a test: the second half may come.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.failures: list[int] = []
        self.half, self.rest = threading.Event(), threading.Event()
        self.numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    api: ModelApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Requests are kept, not printed."""

    def do_GET(self) -> None:
        """Answer those that list models."""
        self._send(200, {"object": "list", "data": [], "models": []})

    def do_POST(self) -> None:
        """Answer a request for the next words."""
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        body = json.loads(raw or b"{}")
        path, tokens = self.path.split("?")[0], len(raw) // 4
        way = next((one for end, one in WAYS.items() if end in path), None)
        if way is None:
            self._send(200, {"totalTokens": tokens})
            return
        asked = way.asked(body)
        self.server.api.requests.append(Request(path, body, asked, tokens))
        reply = directives.reply(asked.texts, asked.results, tools=bool(asked.tools))
        if asked.tools and self.server.api.failures:
            reply = Reply(error=self.server.api.failures.pop(0))
        if reply.error:
            self._send(reply.error, way.refusal(reply.error))
            return
        time.sleep(reply.delay)
        events = way.events(_for(reply, asked), next(self.server.api.numbers), tokens)
        if "generateContent" in path or body.get("stream") is False:
            self._send(200, way.whole(events))
        else:
            self._stream(list(events), reply, way.tail)

    def _stream(self, events: Sequence[Event], reply: Reply, tail: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for number, event in enumerate(events):
            if reply.halts and number == len(events) // 2:
                self.server.api.half.set()
                self.server.api.rest.wait(PATIENCE)
            name = f"event: {event['type']}\n" if "type" in event else ""
            self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
            time.sleep(reply.spread / PIECES)
        self.wfile.write(tail)

    def _send(self, status: int, answer: object) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _for(reply: Reply, asked: Asked) -> Reply:
    """The same, with the shell as the program's own tools name it."""
    return reply._replace(blocks=[_shell(block, asked.tools) for block in reply.blocks])


def _shell(block: Block, tools: Sequence[str]) -> Block:
    if block.get("name") != "Bash":
        return block
    name = next(one for one in SHELLS if one in tools)
    more = {"description": "stub command"} if SHELLS[name] == "command" else {}
    return directives.tool_use(name, {SHELLS[name]: block["input"]["command"], **more})


def _pieces(block: Block, reply: Reply) -> list[str]:
    """The text of a block as it is streamed."""
    words: str = block.get("text") or block.get("thinking") or ""
    if reply.halts:
        return words.splitlines(keepends=True)
    step = max(1, -(-len(words) // PIECES)) if reply.spread else len(words) or 1
    return [words[at : at + step] for at in range(0, len(words), step)]


def _persons_texts(pieces: Iterable[str]) -> list[str]:
    """Return those of these texts that are a person's: programs put their own notes into tags, or below titles."""
    texts = (_TAGS.sub("", piece).strip('"\n') for piece in pieces)
    return [text for text in texts if text and not text.startswith(("<", "#", "This is the Gemini"))]


_TAGS = re.compile(r"\A(?:<([\w-]+)(?: \w+)?>.*?</\1(?: \w+)?>\s*)+", re.DOTALL)


class Chat:
    """OpenAI's chat completions."""

    tail = b"data: [DONE]\n\n"

    @staticmethod
    def asked(body: Body) -> Asked:
        """Read a request."""
        texts: list[str] = []
        results: list[ToolResult] = []
        for message in body.get("messages") or ():
            content = message.get("content") or ""
            pieces = [piece.get("text", "") for piece in content] if isinstance(content, list) else [content]
            if message["role"] == "user" and (said := _persons_texts(pieces)):
                texts.append(said[-1])
                results = []
            elif message["role"] == "tool":
                results.append(ToolResult("\n".join(pieces)))
        return Asked(texts, results, [tool["function"]["name"] for tool in body.get("tools") or ()])

    @classmethod
    def events(cls, reply: Reply, number: int, tokens: int) -> Iterator[Event]:
        """Return an answer, piece by piece."""
        calls = 0
        for block in reply.blocks:
            if block["type"] == "tool_use":
                function = {"name": block["name"], "arguments": json.dumps(block["input"])}
                call = {"index": calls, "id": f"call_{number}_{calls}", "type": "function", "function": function}
                yield cls._event(number, {"tool_calls": [call]})
                calls += 1
            for piece in _pieces(block, reply):
                key = "reasoning_content" if block["type"] == "thinking" else "content"
                yield cls._event(number, {"role": "assistant", key: piece})
        usage = {"prompt_tokens": tokens, "completion_tokens": OUTPUT, "total_tokens": tokens + OUTPUT}
        details = {"prompt_tokens_details": {"cached_tokens": CACHED}}
        yield {**cls._event(number, {}, "tool_calls" if calls else "stop"), "usage": usage | details}

    @staticmethod
    def whole(events: Iterable[Event]) -> Event:
        """Return the same as one piece: text alone."""
        pieces = list(events)
        said = "".join(piece["choices"][0]["delta"].get("content", "") for piece in pieces)
        message = {"role": "assistant", "content": said}
        return pieces[-1] | {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }

    @staticmethod
    def refusal(status: int) -> Event:
        """Return an error as this API words it."""
        kind = KINDS.get(status, "server_error")
        return {"error": {"message": f"stub error {status}", "type": kind, "code": None}}

    @staticmethod
    def _event(number: int, delta: Event, finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        same = {"object": "chat.completion.chunk", "created": 1, "model": "stub"}
        return {"id": f"c{number}", "choices": [choice], **same}


class Responses:
    """OpenAI's responses."""

    tail = b""

    @staticmethod
    def asked(body: Body) -> Asked:
        """Read a request."""
        texts: list[str] = []
        results: list[ToolResult] = []
        for item in body.get("input") or ():
            if item.get("type") == "message" and item.get("role") == "user":
                texts += _persons_texts(piece.get("text", "") for piece in item["content"])
                results = []
            elif str(item.get("type")).endswith("_output"):
                output = item.get("output")
                results.append(ToolResult(output if isinstance(output, str) else json.dumps(output)))
        return Asked(texts, results, [tool.get("name", tool.get("type", "")) for tool in body.get("tools") or ()])

    @classmethod
    def events(cls, reply: Reply, number: int, tokens: int) -> Iterator[Event]:
        """Return an answer, piece by piece."""
        response = {"id": f"resp_{number}"}
        yield {"type": "response.created", "response": response}
        for at, block in enumerate(reply.blocks):
            item = cls._item(block, f"{number}_{at}")
            begun = item | ({"content": []} if "content" in item else {})
            yield {"type": "response.output_item.added", "output_index": at, "item": begun}
            for piece in _pieces(block, reply) if item["type"] == "message" else ():
                where = {"item_id": item["id"], "output_index": at, "content_index": 0}
                yield {"type": "response.output_text.delta", **where, "delta": piece}
            yield {"type": "response.output_item.done", "output_index": at, "item": item}
        usage = {"input_tokens": tokens, "input_tokens_details": {"cached_tokens": CACHED}, "output_tokens": OUTPUT}
        usage |= {"output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": tokens + OUTPUT}
        yield {"type": "response.completed", "response": {**response, "usage": usage}}

    @staticmethod
    def whole(events: Iterable[Event]) -> Event:
        """Return the same as one piece."""
        pieces = list(events)
        items = [piece["item"] for piece in pieces if piece["type"] == "response.output_item.done"]
        answer: Event = pieces[-1]["response"]
        return answer | {"output": items}

    refusal = Chat.refusal

    @staticmethod
    def _item(block: Block, number: str) -> Event:
        if block["type"] == "thinking":
            summary = [{"type": "summary_text", "text": block["thinking"]}]
            return {"type": "reasoning", "id": f"rs_{number}", "summary": summary}
        if block["type"] == "text":
            content = [{"type": "output_text", "text": block["text"]}]
            return {"type": "message", "role": "assistant", "id": f"msg_{number}", "content": content}
        call = {"call_id": f"call_{number}", "name": block["name"]}
        if block["name"].startswith("mcp__"):  # a tool of a server: of the namespace that is the server's
            call["namespace"], _, call["name"] = block["name"].rpartition("__")
        if block["name"] == "apply_patch":
            return {"type": "custom_tool_call", "id": f"ct_{number}", **call, "input": block["input"]["input"]}
        return {"type": "function_call", "id": f"fc_{number}", **call, "arguments": json.dumps(block["input"])}


class Gemini:
    """Gemini's generateContent."""

    tail = b""
    NAMES: Mapping[int, str] = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED"}

    @staticmethod
    def asked(body: Body) -> Asked:
        """Read a request."""
        texts: list[str] = []
        results: list[ToolResult] = []
        for content in body.get("contents") or ():
            parts = content.get("parts") or ()
            if content.get("role") == "user":
                said = _persons_texts(part.get("text", "") for part in parts)
                texts += said
                results = [] if said else results
            answers = [part["functionResponse"].get("response") for part in parts if "functionResponse" in part]
            results += [ToolResult(str(answer)) for answer in answers]
        declared = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
        return Asked(texts, results, [one["name"] for one in declared])

    @classmethod
    def events(cls, reply: Reply, number: int, tokens: int) -> Iterator[Event]:
        """Return an answer, piece by piece."""
        for at, block in enumerate(reply.blocks):
            if block["type"] == "tool_use":
                call = {"name": block["name"], "args": block["input"], "id": f"call_{number}_{at}"}
                yield cls._event(number, [{"functionCall": call}])
            thought = {"thought": True} if block["type"] == "thinking" else {}
            for piece in _pieces(block, reply):
                yield cls._event(number, [{"text": piece, **thought}])
        counts = {"promptTokenCount": tokens, "candidatesTokenCount": OUTPUT, "totalTokenCount": tokens + OUTPUT}
        last = cls._event(number, [{"text": ""}])
        last["candidates"][0]["finishReason"] = "STOP"
        yield last | {"usageMetadata": counts | {"cachedContentTokenCount": CACHED}}

    @staticmethod
    def whole(events: Iterable[Event]) -> Event:
        """Return the same as one piece."""
        pieces = list(events)
        parts = [part for piece in pieces for part in piece["candidates"][0]["content"]["parts"]]
        pieces[-1]["candidates"][0]["content"]["parts"] = parts
        return pieces[-1]

    @classmethod
    def refusal(cls, status: int) -> Event:
        """Return an error as this API words it."""
        name = cls.NAMES.get(status, "INTERNAL")
        return {"error": {"code": status, "message": f"stub error {status}", "status": name}}

    @staticmethod
    def _event(number: int, parts: list[Event]) -> Event:
        candidate: Event = {"content": {"parts": parts, "role": "model"}, "index": 0}
        return {"candidates": [candidate], "modelVersion": "stub", "responseId": f"r{number}"}


WAYS: Mapping[str, type[Chat | Responses | Gemini]] = {
    "/chat/completions": Chat,
    "/responses": Responses,
    ":streamGenerateContent": Gemini,
    ":generateContent": Gemini,
}
"""A part of an address → what is spoken there."""
