"""The stub of the Messages API answers by the request alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.kit.cases import tabled
from tests.kit.directives import ToolResult, reply
from tests.kit.messages_api import MessagesApi
from tests.kit.messages_request import last_text, tool_results, user_texts

TEXTS = [
    ("hello", "echo: hello"),
    ("!long 3", "line 1\nline 2\nline 3"),
    ("%long 1", "line 1"),
    ("!slow 2 words", "echo: words"),
    ("!sleep 0.5 words", "echo: words"),
    ("!unknown x", "echo: !unknown x"),
    ("", "echo: "),
]


@tabled(("prompt", "answer"), TEXTS)
def test_a_prompt_says_its_answer(prompt, answer):
    assert [block["text"] for block in reply([prompt]).blocks] == [answer]


def test_times_are_told_apart():
    assert (reply(["!slow 2 x"]).spread, reply(["!slow 2 x"]).delay) == (2.0, 0.0)
    assert (reply(["!sleep 2 x"]).spread, reply(["!sleep 2 x"]).delay) == (0.0, 2.0)


def test_tools_are_called_and_what_they_said_is_told():
    call = reply(["!tool Write {}"])
    assert (call.stop, call.blocks[0]["name"]) == ("tool_use", "Write")
    results = [ToolResult("one"), ToolResult("two", is_error=True)]
    assert reply(["!tool Write {}"], results).blocks[0]["text"] == "tool said: one; error: two"
    assert reply(["!bash ls"], tools=False).blocks[0]["text"] == "echo: !bash ls"


def test_the_history_is_what_the_person_said():
    assert reply(["one", "x" * 70, "!history"]).blocks[0]["text"] == f"history: n=3 | one | {'x' * 60} | !history"


def said(*messages: tuple[str, Any]) -> dict[str, Any]:
    return {"tools": [{}], "messages": [{"role": role, "content": content} for role, content in messages]}


def result(text: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": text}]}


def test_reminders_are_not_the_person_s_words():
    reminder = {"type": "text", "text": "<system-reminder>\nnoise\n</system-reminder>\n"}
    body = said(("user", [reminder, {"type": "text", "text": "hello"}]), ("system", "noise"))
    assert (user_texts(body), last_text(body)) == (["hello"], "hello")


def test_tool_results_count_until_the_person_speaks_again():
    call = ("assistant", [{"type": "tool_use"}])
    assert tool_results(said(("user", "a"), call, ("user", [result("done")]))) == [ToolResult("done")]
    assert tool_results(said(("user", "a"), call, ("user", [result("done")]), ("user", "b"))) == []


def post(api: MessagesApi, body: dict[str, Any]) -> tuple[int, bytes, Any]:
    request = urllib.request.Request(f"{api.url}/v1/messages?beta=true", json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def test_a_whole_message_and_a_stream_say_the_same():
    with MessagesApi() as api:
        _, whole, _ = post(api, said(("user", "hello")))
        _, stream, _ = post(api, {**said(("user", "hello")), "stream": True})
        assert api.texts == ["hello", "hello"]
    assert json.loads(whole)["content"] == [{"type": "text", "text": "echo: hello"}]
    events = [json.loads(line.removeprefix(b"data: ")) for line in stream.splitlines() if line.startswith(b"data: ")]
    assert [event["type"] for event in events] == [
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop",
    ]  # fmt: skip
    assert events[2]["delta"]["text"] == "echo: hello"


@pytest.mark.parametrize(
    ("prompt", "status", "kind"), [("!error 529", 529, "overloaded_error"), ("!limit 60", 429, "rate_limit_error")]
)
def test_errors_have_the_shape_of_the_api_s(prompt, status, kind):
    with MessagesApi() as api:
        code, body, headers = post(api, said(("user", prompt)))
    assert (code, json.loads(body)["error"]["type"]) == (status, kind)
    assert ("anthropic-ratelimit-unified-reset" in headers) == prompt.startswith("!limit")


def test_the_key_is_not_kept():
    with MessagesApi() as api:
        request = urllib.request.Request(f"{api.url}/", headers={"X-Api-Key": "secret", "X-Other": "kept"})
        urllib.request.urlopen(request).close()
        headers = api.requests[0].headers
    assert "x-api-key" not in headers
    assert headers["x-other"] == "kept"
