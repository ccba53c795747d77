"""A loopback stand-in for the API that `codex` talks to (OpenAI Responses).

What it answers depends on the prompt alone: `!bash COMMAND` has it use the shell, and tell what that said;
`!error STATUS` fails; `!history` tells all prompts of the conversation; anything else comes back as `echo: …`.
"""

from __future__ import annotations

import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any, Self

Item = dict[str, Any]


class ResponsesStub:
    """A server on a port of its own, as a context manager."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def arguments(self) -> tuple[str, ...]:
        """What makes `codex exec` talk to it."""
        provider = f'{{name="stub",base_url="{self.url}",wire_api="responses",env_key="STUB_KEY"'
        retries = "request_max_retries=1,stream_max_retries=1}"
        return ("-c", "model_provider=stub", "-c", f"model_providers.stub={provider},{retries}", "-c", "model=stub")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.ids = itertools.count(1)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(raw)
        last = _prompts(body)[-1]
        if last.startswith("!error "):
            self._refuse(int(last.split()[1]))
            return
        number = next(self.server.ids)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event in _events(number, list(_items(body, last, number)), len(raw) // 4):
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def _refuse(self, status: int) -> None:
        text = json.dumps({"error": {"message": "stub error", "type": "stub", "code": None}}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _prompts(body: Item) -> list[str]:
    messages = [item for item in body["input"] if item.get("type") == "message" and item.get("role") == "user"]
    texts = [piece.get("text", "") for message in messages for piece in message["content"]]
    return [text for text in texts if not text.startswith("<")] or [""]


def _items(body: Item, prompt: str, number: int) -> Iterator[Item]:
    newest = body["input"][-1]
    if newest.get("type") == "function_call_output":
        yield _message(number, f"tool said: {newest['output']}")
    elif prompt.startswith("!bash "):
        yield {"type": "reasoning", "id": f"rs_{number}", "summary": [{"type": "summary_text", "text": "**Thinking**"}]}
        call = {"name": "exec_command", "arguments": json.dumps({"cmd": prompt.removeprefix("!bash ")})}
        yield {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", **call}
    elif prompt.startswith("!history"):
        yield _message(number, f"history: {' | '.join(_prompts(body))}")
    else:
        yield _message(number, f"echo: {prompt}")


def _message(number: int, text: str) -> Item:
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "role": "assistant", "id": f"msg_{number}", "content": content}


def _events(number: int, items: list[Item], tokens: int) -> Iterator[Item]:
    response = {"id": f"resp_{number}"}
    yield {"type": "response.created", "response": response}
    for at, item in enumerate(items):
        yield {"type": "response.output_item.added", "output_index": at, "item": item}
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    usage = {"input_tokens": tokens, "input_tokens_details": {"cached_tokens": 3}}
    usage |= {"output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": tokens + 7}
    yield {"type": "response.completed", "response": {**response, "usage": usage}}
