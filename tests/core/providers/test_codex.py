"""Codex: what its own protocol tells, what it is written, and what it cannot do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import Agent, AgentFolders, AgentMode
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    MarkReached,
    NotOpened,
    Owed,
    Retry,
    Retrying,
    RunVerdict,
    SessionNamed,
    SessionReady,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.agents.conversation import ForkPoint
from overmind_core.providers import registry
from overmind_core.providers.base import ConnectionRequest, LaunchRequest
from tests.kit import torture
from tests.kit.cases import tabled
from tests.kit.responses_stub import ResponsesStub

CODEX = registry.get("codex")
RECORDED = (Path(__file__).parents[2] / "data" / "rpc" / "codex.jsonl").read_text(encoding="utf-8").splitlines()


def connection(*, resume=False, mode=AgentMode.HEADLESS, in_turn=False, **agent):
    request = ConnectionRequest(mode, Agent(**agent), "t", resume=resume, cwd="/w", in_turn=in_turn)
    return CODEX.connect(request)


def line(**message):
    return json.dumps(message).encode()


def notice(method, **params):
    return line(method=method, params={"threadId": "t", "turnId": "u", **params})


def opened(**how):
    """A connection whose conversation is open."""
    found = connection(**how)
    found.parse(line(id="open", result={}))
    found.parse(line(id="account", result={"account": None, "requiresOpenaiAuth": False}))
    found.parse(line(id="session", result={"thread": {"id": "t"}, "model": "m1"}))
    return found


def in_turn(**how):
    """One whose turn `u` has begun."""
    found = opened(**how)
    found.message("hi", "1")
    found.parse(line(id="m1", result={"turn": {"id": "u"}}))
    return found


def ended(status="completed", **turn):
    return notice("turn/completed", turn={"id": "u", "status": status} | turn)


def item(kind, event="completed", name="i1", **fields):
    moment = {"completedAtMs": 1} if event == "completed" else {"startedAtMs": 1}
    return notice(f"item/{event}", item={"id": name, "type": kind, **fields}, **moment)


def asks(what, number=0, **params):
    told = {"threadId": "t", "turnId": "u", "itemId": "i1", **params}
    return line(id=number, method=f"item/{what}/requestApproval", params=told)


def owed(facts):
    return [json.loads(fact.data) for fact in facts if isinstance(fact, Owed)]


def results(facts):
    return [fact.result for fact in facts if isinstance(fact, TurnEnded) and fact.result is not None]


def played():
    """All that the recording told, with what it was sent."""
    heard, facts = connection(), []
    for text in (one.replace("<workdir>", "/w") for one in RECORDED):
        way, said = text[0], text[2:]
        if way == "<":
            facts += heard.parse(said.encode())
        elif '"turn/start"' in said:
            heard.message("", "u")
    return facts


def only(facts, kind):
    return [fact for fact in facts if isinstance(fact, kind)]


# what the program said


def test_a_recorded_conversation_is_understood():
    facts = played()
    assert only(facts, SessionNamed)[0][1:3] == ("stub", "ask")
    ends = results(facts)
    assert [one.reason for one in ends] == [None] * 5 + ["api_error 401", None, "interrupted"]
    assert (ends[0].text, ends[0].usage.output) == ("echo: hello", 7)
    assert ends[1].usage.output == 14, "two calls of the model"
    asked = only(facts, Asked)
    assert [one.summary for one in asked[:2]] == ["Bash: touch made.txt", "Bash: touch no.txt"]
    assert asked[0].subject == {"command": "touch made.txt"}
    change = asked[2]
    assert change.subject["title"] == "change 2 files"
    assert (change.tool, change.subject["files"]) == (
        "Edit",
        [
            {"file_path": "/w/f.txt", "old_string": "hi\n", "new_string": "ho\n"},
            {"file_path": "/w/new2.txt", "content": "one\ntwo\n"},
        ],
    )
    back = only(facts, ToolReturned)
    assert [(one.failed, one.exit_code, one.denied) for one in back[:2]] == [(False, 0, False), (True, None, True)]
    assert (back[3].failed, back[3].exit_code) == (True, 1)
    assert [(one.attempt, one.most) for one in only(facts, Retrying)] == [(1, 1)]
    assert len(only(facts, TurnBegan)) == len(ends)


def test_a_recorded_run_reads_as_a_transcript():
    transcript = CODEX.renderer()
    shown = [text for said in RECORDED if said[0] == "<" for text in transcript.feed(said[2:].encode())]
    assert shown[0] == "echo: hello"
    assert "⚙ Bash: touch made.txt → ok" in shown
    assert "⚙ Edit: <workdir>/f.txt, <workdir>/new2.txt → ok" in shown
    assert any(text.startswith("✗ api_error 401: unexpected status 401") for text in shown)
    assert sum(text.startswith("— ") for text in shown) == 8
    assert not any(text.startswith("{") or "a plan" in text for text in shown)


def test_the_use_of_an_earlier_process_is_no_part_of_a_transcript():
    transcript = CODEX.renderer()
    used = {"inputTokens": 1000, "outputTokens": 5}
    said = [
        notice("thread/tokenUsage/updated", turnId="old", tokenUsage={"last": used}),
        notice("turn/started", turn={"id": "u"}),
        notice("thread/tokenUsage/updated", tokenUsage={"last": {**used, "outputTokens": 7}}),
        notice("turn/completed", turn={"id": "u", "status": "completed", "durationMs": 1000, "items": []}),
    ]
    assert [text for one in said for text in transcript.feed(one)] == ["— 1.0 s, 1.0k in / 7 out —"]


# opening


def launch(agent, *, resume=False, notes=None):
    return CODEX.launch(LaunchRequest(AgentMode.ONE_SHOT, agent, "t1", resume=resume, notes=notes))


def opening(started):
    return [json.loads(one) for one in (started.notes or started.stdin.decode()).splitlines()]


POLICIES = [
    (None, "untrusted", "danger-full-access"),
    ("ask", "untrusted", "danger-full-access"),
    ("read-only", "never", "read-only"),
    ("all", "never", "danger-full-access"),
    ("workspace-write", "on-request", "workspace-write"),
]


@tabled(("word", "policy", "sandbox"), POLICIES)
def test_one_word_says_what_it_may_do_unasked(word, policy, sandbox):
    (first, second, third, start) = opening(launch(Agent(permission_mode=word, model="m")))
    assert [first["method"], second["method"], third["method"]] == ["initialize", "initialized", "account/read"]
    assert start["method"] == "thread/start"
    assert start["params"] == {"approvalPolicy": policy, "sandbox": sandbox, "model": "m"}


def test_its_words_stand_before_the_conversation_and_the_notes_in_a_file_of_their_own():
    agent = Agent(system_prompt="base", append_system_prompt="more", arguments=("-c", "x=1"))
    plain, noted = launch(agent), launch(agent, resume=True, notes="[N-1] é\n")
    assert plain.argv == noted.argv == ("codex", "app-server", "-c", "x=1")
    assert (plain.notes, noted.stdin) == (None, b"")
    assert opening(plain)[3]["params"] | {} == {
        "approvalPolicy": "untrusted",
        "sandbox": "danger-full-access",
        "developerInstructions": "more",
        "baseInstructions": "base",
    }
    resumed = opening(noted)[3]
    assert (resumed["method"], resumed["params"]["threadId"]) == ("thread/resume", "t1")
    assert resumed["params"]["developerInstructions"] == "[N-1] é\n\n\nmore"


def test_a_fork_asks_for_the_thread_of_its_source_up_to_a_turn():
    start = LaunchRequest(AgentMode.HEADLESS, Agent(), "mine", resume=False, fork=ForkPoint("t1", "u2"), cwd="/w")
    asked = opening(CODEX.launch(start))[3]
    told = {"threadId": "t1", "lastTurnId": "u2", "cwd": "/w", "excludeTurns": True}
    assert (asked["method"], asked["params"] | told) == ("thread/fork", asked["params"])
    whole = opening(CODEX.launch(start._replace(fork=ForkPoint("t1"))))[3]
    assert "lastTurnId" not in whole["params"]
    request = ConnectionRequest(AgentMode.HEADLESS, Agent(), "mine", resume=False, cwd="/w", fork=ForkPoint("t1"))
    for said, expected in (
        ({"result": {"thread": {"id": "t2"}}}, SessionNamed("t2", None, "ask")),
        ({"error": {"code": -32600, "message": "turn not found: u2"}}, "wrong_start"),
    ):
        found = CODEX.connect(request)
        found.parse(line(id="open", result={}))
        found.parse(line(id="account", result={"requiresOpenaiAuth": False}))
        fact = found.parse(line(id="session", **said))[0]
        assert expected in (fact, fact.result.reason if isinstance(fact, NotOpened) else "")
        assert not isinstance(fact, NotOpened) or fact.result.retry is Retry.NEVER


def test_the_name_of_a_turn_is_where_a_copy_can_end():
    assert in_turn().parse(notice("turn/started", turn={"id": "u"})) == (TurnBegan(), MarkReached("u"))


def test_it_may_write_into_the_folder_of_its_quest():
    argv = launch(Agent(folders=AgentFolders("/h/in", "/h/out"))).argv
    assert argv[2:] == ("-c", 'sandbox_workspace_write.writable_roots=["/h/out"]')


@pytest.mark.parametrize("swapped", [False, True])
def test_a_task_is_given_its_prompt_once_the_conversation_is_open(swapped):
    found = connection(mode=AgentMode.ONE_SHOT, prompt="-do it")
    assert found.parse(line(id="open", result={})) == ()
    last = [
        line(id="account", result={"account": {"type": "apiKey"}, "requiresOpenaiAuth": True}),
        line(id="session", result={"thread": {"id": "t9"}, "model": "m1"}),
    ]
    first, second = reversed(last) if swapped else last
    assert found.parse(first) == ()
    facts = found.parse(second)
    assert facts[:2] == (SessionNamed("t9", "m1", "ask"), SessionReady())
    (prompt,) = owed(facts)
    assert prompt["params"] == {"threadId": "t9", "input": [{"type": "text", "text": "-do it"}]}


NEVER_OPEN = [
    ("account", {"result": {"account": None, "requiresOpenaiAuth": True}}, False, "not_logged_in", Retry.NEVER),
    ("session", {"error": {"code": -32600, "message": "no rollout found"}}, True, "wrong_start", Retry.SWITCH),
    ("session", {"error": {"code": -32603, "message": "broken"}}, False, "no_conversation", Retry.POLICY),
    ("session", {"error": {"code": -32603, "message": "config.toml"}}, True, "no_conversation", Retry.POLICY),
    ("session", {"result": {}}, False, "no_conversation", Retry.NEVER),
    ("open", {"error": {"code": -32603, "message": "broken"}}, False, "no_conversation", Retry.POLICY),
]


@tabled(("step", "said", "resume", "reason", "retry"), NEVER_OPEN)
def test_what_can_not_be_opened_says_why(step, said, resume, reason, retry):
    found = connection(resume=resume)
    before: dict[str, Any] = {"open": {}, "account": {"requiresOpenaiAuth": False}}
    for name in list(before)[: ("open", "account", "session").index(step)]:
        found.parse(line(id=name, result=before[name]))
    (fact,) = found.parse(line(id=step, **said))
    assert isinstance(fact, NotOpened)
    assert (fact.result.reason, fact.result.retry) == (reason, retry)


# turns


def test_an_answer_is_the_sum_of_its_messages_and_what_comes_late_is_none():
    found = in_turn()
    delta = notice("item/agentMessage/delta", itemId="a", delta="one\ntw")
    assert found.parse(delta) == (TurnBegan(), TextSpoken("one"))
    found.parse(notice("item/agentMessage/delta", itemId="a", delta="o"))
    assert found.parse(item("agentMessage", name="a", text="one\ntwo")) == (TextSpoken("two"),)
    assert found.parse(item("agentMessage", name="b", text="whole")) == (TextSpoken("whole"),)
    (result,) = results(found.parse(ended(durationMs=1500)))
    assert (result.text, result.raw["result"], result.duration_ms) == ("one\ntwo\n\nwhole",) * 2 + (1500,)
    assert found.parse(notice("item/agentMessage/delta", itemId="c", delta="late\n")) == ()
    assert found.parse(ended()) == ()


ENDS = [
    ("completed", None, True, None, Retry.POLICY),
    ("interrupted", None, False, "interrupted", Retry.POLICY),
    ("failed", {"message": "last status: 429 Too Many Requests"}, False, "api_error 429", Retry.POLICY),
    (
        "failed",
        {"message": "no", "codexErrorInfo": {"x": {"httpStatusCode": 400}}},
        False,
        "api_error 400",
        Retry.NEVER,
    ),
    ("failed", {"message": "no", "codexErrorInfo": "usageLimitExceeded"}, False, "limited", Retry.POLICY),
    ("failed", {"message": "Missing environment variable: `K`."}, False, "not_logged_in", Retry.NEVER),
    ("failed", {"message": "high demand", "codexErrorInfo": "internalServerError"}, False, "api_error", Retry.POLICY),
    ("failed", None, False, "failed", Retry.POLICY),
    (
        "failed",
        {"message": '{"error": {"message": "too long", "type": "invalid_request_error"}}', "codexErrorInfo": "other"},
        False,
        "api_error 400",
        Retry.NEVER,
    ),
    ("failed", {"message": '{"error": {"message": "no", "type": "server_error"}}'}, False, "api_error", Retry.POLICY),
    ("failed", {"message": '{"error": "no"}'}, False, "api_error", Retry.POLICY),
]


@tabled(("status", "error", "ok", "reason", "retry"), ENDS)
def test_the_end_of_a_turn_says_how_it_went(status, error, ok, reason, retry):
    (result,) = results(in_turn().parse(ended(status, error=error)))
    assert (result.ok, result.reason, result.retry) == (ok, reason, retry)


def test_a_refusal_of_its_service_is_told_in_words():
    body = json.dumps({"error": {"message": "The model 'x' does not exist.", "type": "invalid_request_error"}})
    (result,) = results(in_turn().parse(ended("failed", error={"message": body, "codexErrorInfo": "other"})))
    assert result.text == "The model 'x' does not exist."


def test_whoever_takes_over_between_two_turns_knows_the_next_one_by_its_own_name():
    found = opened()
    for said in (line(id="m0", result={"turn": {"id": "before"}}), ended(id="before")):
        assert found.parse(said) == (), "the last turn, heard once more"
    found.message("hi", "1")
    found.parse(line(id="m1", result={"turn": {"id": "u"}}))
    assert [one.ok for one in results(found.parse(ended()))] == [True]


def test_a_prompt_that_is_refused_has_failed():
    found = opened()
    found.message("hi", "1")
    (result,) = results(found.parse(line(id="m1", error={"code": -32600, "message": "no such thread"})))
    assert (result.ok, result.text) == (False, "no such thread")


def test_tokens_are_those_of_the_calls_of_the_turn():
    found = opened(resume=True)
    tokens = {"inputTokens": 900, "cachedInputTokens": 800, "outputTokens": 5}
    again = {"last": {**tokens, "outputTokens": 99}, "total": tokens}
    found.message("hi", "1")
    found.parse(notice("thread/tokenUsage/updated", turnId="before", tokenUsage=again))
    found.parse(line(id="m1", result={"turn": {"id": "u"}}))
    for _ in range(2):
        found.parse(notice("thread/tokenUsage/updated", tokenUsage={"last": tokens, "total": {}}))
    (result,) = results(found.parse(ended()))
    assert result.usage == TokenUsage(input=200, output=10, cache_read=1600)


def test_an_interrupt_waits_for_the_name_of_its_turn_and_ends_what_ran_in_it():
    found = opened()
    found.message("hi", "1")
    assert found.interrupt("", ()) == b""
    (stop,) = owed(found.parse(line(id="m1", result={"turn": {"id": "u"}})))
    assert (stop["method"], stop["params"]) == ("turn/interrupt", {"threadId": "t", "turnId": "u"})
    found.parse(item("commandExecution", "started", command="sleep 9", status="inProgress"))
    assert json.loads(found.interrupt("", ()))["method"] == "turn/interrupt"
    facts = found.parse(ended("interrupted"))
    (listed,) = owed(facts)
    assert listed["method"] == "thread/backgroundTerminals/list"
    processes = [{"itemId": "i1", "processId": "7"}, {"itemId": "of an earlier turn", "processId": "8"}]
    (end,) = owed(found.parse(line(id=listed["id"], result={"data": processes})))
    assert end["params"] == {"threadId": "t", "processId": "7"}


# questions


QUESTIONS = [
    (asks("commandExecution", command="/bin/bash -lc 'a; b'", cwd="/w"), "Bash", {"command": "a; b"}),
    (asks("commandExecution", command="make", cwd="/other"), "Bash", {"command": "make", "cwd": "/other"}),
    (asks("commandExecution", command="bash -lc 'a", cwd="/w"), "Bash", {"command": "bash -lc 'a"}),
    (asks("commandExecution", command="/w/bash -lc a", cwd="/w"), "Bash", {"command": "/w/bash -lc a"}),
    (asks("commandExecution", command="ssh -c a", cwd="/w"), "Bash", {"command": "ssh -c a"}),
    (
        asks("commandExecution", command="curl x", cwd="/w", networkApprovalContext={"host": "x"}),
        "Tool",
        {
            "title": "more than its sandbox allows",
            "command": "curl x",
            "networkApprovalContext": {"host": "x"},
        },
    ),
    (asks("fileChange", grantRoot="/"), "Tool", {"title": "write anywhere below /", "reason": ""}),
]


@tabled(("said", "tool", "subject"), QUESTIONS)
def test_a_question_shows_all_that_would_be_allowed_in_the_words_of_rules(said, tool, subject):
    (asked,) = only(in_turn().parse(said), Asked)
    assert (asked.tool, dict(asked.subject)) == (tool, subject)


CHANGES = [
    ({"type": "add"}, "a\nb\n", {"content": "a\nb\n"}),
    ({"type": "delete"}, "a\n", {"old_string": "a\n", "new_string": ""}),
    ({"type": "update"}, "@@ -1 +1 @@\n+a\x0cb\u2028c\n", {"content": "a\x0cb\u2028c\n"}),
    (
        {"type": "update"},
        "@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@ -9 +9 @@ f()\n-x\n+y\n",
        {"edits": [{"old_string": "a\nb\n", "new_string": "a\nc\n"}, {"old_string": "x\n", "new_string": "y\n"}]},
    ),
]


@tabled(("kind", "diff", "shown"), CHANGES)
def test_a_change_of_a_file_is_shown_with_its_question(kind, diff, shown):
    found = in_turn()
    found.parse(
        item("fileChange", "started", status="inProgress", changes=[{"path": "/w/f", "kind": kind, "diff": diff}])
    )
    (asked,) = only(found.parse(asks("fileChange")), Asked)
    assert (asked.tool, dict(asked.subject)) == ("Edit", {"file_path": "/w/f", **shown})


@pytest.mark.parametrize(("behaviour", "decision"), [(Behaviour.ALLOW, "accept"), (Behaviour.DENY, "decline")])
def test_an_answer_carries_the_id_of_its_question(behaviour, decision):
    for number in (0, "0", 10**40):
        found = in_turn()
        (asked,) = only(found.parse(asks("commandExecution", number, command="make", cwd="/w")), Asked)
        assert json.loads(found.answer(asked, Decision(behaviour))) == {"id": number, "result": {"decision": decision}}
        assert AskCancelled(asked.request) in found.parse(notice("serverRequest/resolved", requestId=number))


def test_what_the_client_can_not_do_is_answered_at_once_and_helpers_speak_for_themselves():
    found = in_turn()
    (refused,) = owed(found.parse(line(id=1, method="item/tool/requestUserInput", params={})))
    assert refused["error"]["code"] == -32601
    assert found.parse(notice("item/agentMessage/delta", threadId="helper", itemId="x", delta="mine\n")) == ()
    changes = [{"path": "/w/f", "kind": {"type": "add"}, "diff": "x"}]
    theirs = {"id": "h1", "type": "fileChange", "status": "inProgress", "changes": changes}
    assert found.parse(notice("item/started", threadId="helper", turnId="h", item=theirs)) == ()
    facts = found.parse(asks("fileChange", threadId="helper", turnId="h", itemId="h1"))
    assert [dict(one.subject) for one in only(facts, Asked)] == [{"file_path": "/w/f", "content": "x"}]
    assert found.parse(notice("turn/completed", threadId="helper", turn={"id": "h", "status": "completed"})) == ()
    assert found.parse(notice("serverRequest/resolved", threadId="helper", requestId=0)) == (AskCancelled("0"),)


def test_the_same_call_and_the_same_answer_are_known_by_their_digest():
    given_ = {"server": "db", "tool": "query", "arguments": {"sql": "select 1"}, "status": "inProgress"}
    found = in_turn()
    calls = [
        *only(found.parse(item("mcpToolCall", "started", "i1", **given_)), ToolCalled),
        *only(found.parse(item("mcpToolCall", "started", "i2", **given_)), ToolCalled),
        *only(found.parse(item("mcpToolCall", "started", "i3", **{**given_, "arguments": {}})), ToolCalled),
    ]
    assert calls[0].digest == calls[1].digest != calls[2].digest
    failed = {**given_, "status": "failed", "error": {"message": "no such table: t"}}
    (back,) = only(found.parse(item("mcpToolCall", "completed", "i1", **failed)), ToolReturned)
    assert (back.failed, back.error) == (True, "no such table: t")


def used(arguments, name="i1", tool="query", server="db", event="started", **fields):
    told = {"server": server, "tool": tool, "arguments": arguments, "status": "inProgress", **fields}
    return item("mcpToolCall", event, name, **told)


def elicits(number=0, **meta):
    told = {"codex_approval_kind": "mcp_tool_call", "tool_name": "query", "tool_params": {"sql": "x"}, **meta}
    params = {"threadId": "t", "turnId": "u", "serverName": "db", "mode": "form", "message": "May it?", "_meta": told}
    return line(id=number, method="mcpServer/elicitation/request", params=params)


def test_a_tool_of_a_server_asks_with_what_it_is_given_and_the_answer_is_that_of_a_form():
    found = in_turn()
    found.parse(used({"sql": "y"}, "i1"))
    found.parse(used({"sql": "x"}, "i2"))
    (asked,) = only(found.parse(elicits()), Asked)
    assert (asked.tool, asked.summary, asked.subject) == ("mcp__db__query", "mcp__db__query", {"sql": "x"})
    assert json.loads(found.answer(asked, Decision(Behaviour.DENY))) == {
        "id": 0, "result": {"action": "decline", "content": {}},
    }  # fmt: skip
    (back,) = only(found.parse(used({"sql": "x"}, "i2", event="completed", status="failed")), ToolReturned)
    assert (back.failed, back.denied) == (True, True)
    (asked,) = only(found.parse(elicits(1, tool_params={"sql": "y"})), Asked)
    assert json.loads(found.answer(asked, Decision(Behaviour.ALLOW)))["result"]["action"] == "accept"
    assert b'"cancel"' in found.interrupt("i", [asked])


NO_APPROVAL = [
    {"codex_approval_kind": None}, {"codex_approval_kind": ["mcp_tool_call"]}, {"tool_name": "other"},
    {"tool_name": None}, {"tool_params": {"sql": "z"}}, {"tool_params": None},
]  # fmt: skip


@pytest.mark.parametrize("meta", NO_APPROVAL, ids=range(len(NO_APPROVAL)))
def test_what_a_server_asks_by_itself_reaches_nobody_whatever_it_calls_itself(meta):
    found = in_turn()
    found.parse(used({"sql": "x"}))
    assert [one["error"]["code"] for one in owed(found.parse(elicits(**meta)))] == [-32601]
    assert only(found.parse(elicits(1)), Asked), "that of the program itself does"
    assert owed(found.parse(elicits(2))), "once for each use"


def test_names_of_tools_are_those_of_rules_whatever_a_server_calls_them():
    found = in_turn()
    found.parse(used({}, server="d b", tool="a(b)*\n" + "x" * 1000))
    (asked,) = only(
        found.parse(line(id=0, method="mcpServer/elicitation/request", params={
            "threadId": "t", "turnId": "u", "serverName": "d b",
            "_meta": {"codex_approval_kind": "mcp_tool_call", "tool_name": "a(b)*\n" + "x" * 1000},
        })), Asked,
    )  # fmt: skip
    assert asked.tool.startswith("mcp__d_b__a_b___x")
    assert len(asked.tool) < 300


def test_a_search_of_the_web_is_told_once_its_words_are_known():
    found = in_turn()
    assert not only(found.parse(item("webSearch", "started", query="")), ToolCalled)
    called, back = found.parse(item("webSearch", query="rust"))
    assert (called.summary, back.failed) == ("web search: rust", False)
    called, _ = found.parse(item("imageView", name="i2", path="/w/a.png"))
    assert called.summary == "Read: /w/a.png"


WORDS = [
    ("/bin/bash -lc 'a b'", "a b"),
    ("/bin/bash -lc ls", "ls"),
    ("/bin/zsh -c 'it'\"'\"'s'", "it's"),
    ('/usr/bin/bash -lc "a \\"b\\" $c"', 'a "b" $c'),
    ("/bin/bash -lc a b", "/bin/bash -lc a b"),
    ("/bin/bash -lc 'a", "/bin/bash -lc 'a"),
    ("/bin/sh -c '" + "x" * 100_000 + "'", "x" * 100_000),
]


@pytest.mark.parametrize(("command", "shown"), WORDS, ids=range(len(WORDS)))
def test_a_command_is_shown_without_a_shell_of_the_machine(command, shown):
    (asked,) = only(in_turn().parse(asks("commandExecution", command=command, cwd="/w")), Asked)
    assert asked.subject["command"] == shown


# what it cannot do, and its end


REFUSED = [
    (Agent(permission_mode="plan"), "--permission-mode plan is not possible with codex: ask, read-only"),
    (Agent(arguments=("--listen=x",)), "--listen"),
    (Agent(deny=("Bash",), permission_mode="read-only"), "--deny is not possible with --permission-mode read-only"),
]


@pytest.mark.parametrize(("agent", "name"), REFUSED)
def test_what_it_cannot_do_is_refused_by_name(agent, name):
    assert name in (CODEX.refuse(agent) or "")


def test_other_arguments_are_the_persons_business():
    assert CODEX.refuse(Agent(model="m", arguments=("--enable", "x", "-c", "x=1"))) is None
    assert CODEX.refuse_notes(Agent()) is None


FAILED = TurnResult(ok=False, reason="api_error 429")
ENDINGS = [
    (0, TurnResult(ok=True), RunVerdict(False)),
    (0, FAILED, RunVerdict(True, "api_error 429")),
    (0, None, RunVerdict(True, "no_result")),
    (2, None, RunVerdict(True, "usage_error", Retry.NEVER)),
    (-9, None, RunVerdict(True)),
]


@tabled(("code", "last", "expected"), ENDINGS)
def test_the_end_of_a_run_is_judged(code, last, expected):
    assert CODEX.verdict(code, last, "", mode=AgentMode.ONE_SHOT, resumed=False) == expected


KEYS = st.sampled_from(
    ["summary", "type", "item", "id", "text", "status", "error", "turn", "changes", "exitCode", "diff", "kind"]
)
METHODS = st.sampled_from(
    ["item/completed", "item/started", "turn/started", "turn/completed", "error", "thread/tokenUsage/updated",
     "item/commandExecution/requestApproval", "item/fileChange/requestApproval", "serverRequest/resolved"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)
LINES = st.binary() | st.builds(
    lambda method, params, more: json.dumps({"method": method, "params": params, **more}).encode(),
    METHODS, JSON, st.just({}) | st.fixed_dictionaries({"id": JSON}),
)  # fmt: skip
REPLIES = st.builds(lambda name, result: json.dumps({"id": name, "result": result}).encode(), JSON | st.just(""), JSON)


@pytest.mark.torture
@settings(max_examples=torture.examples(100))
@given(st.lists(LINES | REPLIES, max_size=4))
def test_no_line_raises(lines):
    found, transcript = in_turn(), CODEX.renderer()
    for one in lines:
        CODEX.parse(one)
        found.parse(one)
        transcript.feed(one)


PROGRAM = os.environ.get("OVERMIND_CODEX_BIN") or shutil.which("codex")


@pytest.mark.skipif(PROGRAM is None, reason="the codex program is not installed")
def test_the_real_program_asks_runs_a_tool_and_goes_on_with_its_conversation(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "STUB_KEY": "dummy"}

    def run(prompt, session="", *, resume=False):
        agent = Agent(prompt=prompt, program=PROGRAM or "", arguments=stub.arguments)
        started = CODEX.launch(LaunchRequest(AgentMode.ONE_SHOT, agent, session, resume=resume))
        request = ConnectionRequest(AgentMode.ONE_SHOT, agent, session, resume=resume, cwd=str(tmp_path))
        heard, facts = CODEX.connect(request), list[Any]()
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        with subprocess.Popen(
            started.argv, cwd=tmp_path, env=environment, stdin=pipe, stdout=pipe, stderr=null
        ) as program:
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write(started.stdin or b"")
            program.stdin.flush()
            for said in program.stdout:
                more = heard.parse(said.rstrip(b"\n"))
                facts += more
                for fact in more:
                    if isinstance(fact, Owed):
                        program.stdin.write(fact.data)
                    elif isinstance(fact, Asked):
                        program.stdin.write(heard.answer(fact, Decision(Behaviour.ALLOW)))
                    program.stdin.flush()
                if results(more):
                    program.stdin.close()
                    break
            program.wait(20)
        return facts

    with ResponsesStub() as stub:
        first = run("!bash echo hi")
        session = only(first, SessionNamed)[0].session
        second = run("!history", session, resume=True)
    assert [one.summary for one in only(first, Asked)] == ["Bash: echo hi"]
    assert [one.failed for one in only(first, ToolReturned)] == [False]
    assert results(second)[0].text == "history: !bash echo hi | !history"
