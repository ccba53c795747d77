"""The Agent Client Protocol: what recorded programs said, and what hostile ones might."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import (
    Asked,
    Behaviour,
    Decision,
    NotOpened,
    Owed,
    PlainLine,
    Retry,
    Retrying,
    SessionNamed,
    SessionReady,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
)
from overmind_core.domain.agents.approval_subject import lines as approval_lines
from overmind_core.domain.agents.conversation import ForkPoint
from overmind_core.domain.agents.permission import decide
from overmind_core.providers import registry
from overmind_core.providers.base import ConnectionRequest, LaunchRequest
from overmind_core.providers.rpc import engine
from tests.kit.cases import tabled

RECORDED = Path(__file__).parents[2] / "data" / "rpc"
PROGRAMS = ("gemini", "opencode", "qwen", "copilot")


def connection(program="opencode", *, resume=False, mode=AgentMode.HEADLESS, in_turn=False, session="s", **agent):
    request = ConnectionRequest(mode, Agent(**agent), session, resume=resume, cwd="/w", in_turn=in_turn)
    return registry.get(program).connect(request)


def line(**message):
    return json.dumps({"jsonrpc": "2.0", **message}).encode()


def opened(program="opencode", **how):
    """A connection whose conversation is open."""
    found = connection(program, **how)
    found.parse(line(id="open", result={"protocolVersion": 1}))
    modes = {"currentModeId": "default", "availableModes": []}
    found.parse(line(id="session", result={"sessionId": "s", "modes": modes}))
    return found


def update(what, **fields):
    return line(method="session/update", params={"sessionId": "s", "update": {"sessionUpdate": what, **fields}})


def text(words, kind="agent_message_chunk", **more):
    return update(kind, content={"type": "text", "text": words}, **more)


CALL = update("tool_call", toolCallId="c", kind="other", title="look", status="completed")


def ask(number=0, *, options=None, **call):
    told = {"toolCallId": "c1", "kind": "execute", "title": "make", "rawInput": {"command": "make"}, **call}
    kinds = ("allow_always", "allow_once", "reject_once") if options is None else options
    choices = [{"optionId": f"o{place}", "kind": kind, "name": kind} for place, kind in enumerate(kinds)]
    params = {"sessionId": "s", "toolCall": told, "options": choices}
    return line(id=number, method="session/request_permission", params=params)


def answer(uuid="u", **reply):
    return line(id=f"m{uuid}", **(reply or {"result": {"stopReason": "end_turn"}}))


def owed(facts):
    return [json.loads(fact.data) for fact in facts if isinstance(fact, Owed)]


def results(facts):
    """How the turns ended."""
    return [fact.result for fact in facts if isinstance(fact, TurnEnded) and fact.result is not None]


def played(program):
    """All that a recording of that program told, with what it was sent."""
    heard, facts = connection(program.partition("-")[0]), []
    for text_ in (RECORDED / f"{program}.jsonl").read_text(encoding="utf-8").splitlines():
        way, said = text_[0], text_[2:]
        if way == "<":
            said = said.replace('"id":"init"', '"id":"open"', 1).replace('"id":"new"', '"id":"session"', 1)
            facts += heard.parse(said.encode())
        elif '"session/prompt"' in said:
            asked = json.loads(said)
            heard.message(asked["params"]["prompt"][0]["text"], asked["id"][1:])
    return facts


# what the programs said


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_recorded_conversation_is_understood(program):
    facts = played(program)
    named = next(fact for fact in facts if isinstance(fact, SessionNamed))
    assert named.session
    assert facts.index(SessionReady()) == facts.index(named) + 1
    ends = results(facts)
    assert (ends[0].text, ends[0].ok) == ("echo: hello", True)
    assert ends[0].usage.input + ends[0].usage.cache_read > 7000
    assert (ends[0].cost_total is not None) is (program == "opencode")
    asked = [fact for fact in facts if isinstance(fact, Asked)]
    assert asked[0].summary == "Bash: touch made.txt"
    assert asked[0].subject["command"] == "touch made.txt"
    edits = [fact for fact in asked if fact.tool == "Edit"]
    assert edits[0].subject["content"] == "some text\n"
    assert edits[0].subject["file_path"].endswith("/f.txt")
    calls = {fact.call for fact in facts if isinstance(fact, ToolCalled)}
    assert {fact.call for fact in facts if isinstance(fact, ToolReturned)} <= calls
    assert 0 <= sum(isinstance(fact, TurnBegan) for fact in facts) - len(ends) <= 1, "the last one may be cut off"


def test_the_dollars_of_a_conversation_are_as_it_counts_them():
    totals = [one.cost_total or 0.0 for one in results(played("opencode"))]
    assert totals[:2] == [0.023121, pytest.approx(0.069729)]
    assert totals == sorted(totals)


def test_who_is_not_logged_in_is_told_so():
    (found,) = [fact for fact in played("qwen-no-login") if isinstance(fact, NotOpened)]
    assert (found.result.reason, found.result.retry) == ("not_logged_in", Retry.NEVER)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_transcript_is_what_was_said_and_done(program):
    transcript = registry.get(program).renderer()
    shown = []
    for text_ in (RECORDED / f"{program}.jsonl").read_text(encoding="utf-8").splitlines():
        if text_.startswith("< "):
            shown += transcript.feed(text_[2:].encode())
    assert shown[0] == "echo: hello"
    assert "⚙ Bash: touch made.txt → ok" in shown
    assert not any("a plan" in one for one in shown), "what it thinks is not said"


# opening


def test_each_step_follows_the_answer_to_the_one_before():
    found = connection("qwen")
    assert owed(found.parse(line(id="session", result={"sessionId": "s"}))) == [], "nobody has asked for it"
    found = connection("qwen")
    (new,) = owed(found.parse(line(id="open", result={"protocolVersion": 1})))
    assert (new["method"], new["params"]) == ("session/new", {"cwd": "/w", "mcpServers": []})
    modes = {"currentModeId": "auto", "availableModes": [{"id": "auto"}, {"id": "default"}]}
    facts = found.parse(line(id="session", result={"sessionId": "s1", "modes": modes}))
    assert [one["params"] for one in owed(facts)] == [{"sessionId": "s1", "modeId": "default"}], "nobody gets `auto`"
    assert not any(isinstance(fact, SessionReady) for fact in facts)
    assert found.parse(line(id="mode", result={})) == (SessionNamed("s1", None, "default", forks=False), SessionReady())


def test_a_task_is_given_its_prompt_once_the_conversation_is_open():
    found = connection("opencode", mode=AgentMode.ONE_SHOT, prompt="do it")
    found.parse(line(id="open", result={"protocolVersion": 1}))
    (prompt,) = owed(found.parse(line(id="session", result={"sessionId": "s"})))
    assert prompt["params"] == {"sessionId": "s", "prompt": [{"type": "text", "text": "do it"}]}


def test_a_conversation_is_resumed_where_the_program_can():
    able: dict[str, Any] = {"sessionCapabilities": {"resume": {}}}
    found = connection("qwen", resume=True, session="old")
    (resume,) = owed(found.parse(line(id="open", result={"protocolVersion": 1, "agentCapabilities": able})))
    assert (resume["method"], resume["params"]["sessionId"]) == ("session/resume", "old")
    (named, _) = found.parse(line(id="session", result={"modes": {"currentModeId": "default"}}))
    assert named.session == "old"


def test_a_conversation_is_copied_where_the_program_announces_that():
    request = ConnectionRequest(AgentMode.HEADLESS, Agent(), "mine", resume=False, cwd="/w", fork=ForkPoint("theirs"))
    able: dict[str, Any] = {"sessionCapabilities": {"fork": {}}}
    opens = line(id="open", result={"protocolVersion": 1, "agentCapabilities": able})
    found = registry.get("opencode").connect(request)
    (fork,) = owed(found.parse(opens))
    told = {"sessionId": "theirs", "cwd": "/w", "mcpServers": []}
    assert (fork["method"], fork["params"]) == ("session/fork", told)
    before = (update("user_message_chunk", content={"type": "text", "text": "hi"}), text("old words"), CALL)
    assert [fact for said in before for fact in found.parse(said)] == [], "it tells the copy before its reply"
    assert SessionNamed("new", None, None, forks=True) in found.parse(line(id="session", result={"sessionId": "new"}))
    gone = line(id="session", error={"code": -32603, "message": "no such session"})
    cannot = line(id="open", result={"protocolVersion": 1})
    for said, reason in (([opens, gone], "wrong_start"), ([cannot], "no_conversation")):
        found = registry.get("opencode").connect(request)
        facts = [fact for one in said for fact in found.parse(one) if isinstance(fact, NotOpened)]
        assert [(one.result.reason, one.result.retry) for one in facts] == [(reason, Retry.NEVER)]


def test_a_conversation_that_is_told_once_more_as_it_is_opened_counts_nothing_twice():
    found = connection("copilot", resume=True, session="s")
    opens = line(id="open", result={"protocolVersion": 1, "agentCapabilities": {"loadSession": True}})
    (load,) = owed(found.parse(opens))
    assert (load["method"], load["params"]["sessionId"]) == ("session/load", "s")
    before = (update("user_message_chunk", content={"type": "text", "text": "hi"}), text("old words"), CALL)
    assert [fact for said in before for fact in found.parse(said)] == []
    assert SessionReady() in found.parse(line(id="session", result={"modes": {"currentModeId": "agent"}}))
    found.message("more", "u")
    found.parse(text("new words"))
    assert results(found.parse(answer()))[0].text == "new words"
    late = connection("copilot", in_turn=True)
    facts = [fact for said in (opens, *before, line(id="session", result={})) for fact in late.parse(said)]
    assert not facts, "whoever takes over hears no more of it"
    late.parse(text("new words"))
    assert results(late.parse(answer()))[0].text == "new words"


GONE = [
    line(id="open", result={"protocolVersion": 1}),
    line(id="session", error={"code": -32603, "message": "Internal error", "data": {"details": "No such session"}}),
    line(id="session", error={"code": -32601, "message": "Method not found"}),
]


@pytest.mark.parametrize("said", GONE, ids=["can't", "unknown", "announced and missing"])
def test_one_that_is_not_there_is_begun_anew(said):
    able: dict[str, Any] = {"sessionCapabilities": {"resume": {}}}
    found = connection("qwen", resume=True)
    if b'"open"' not in said:
        found.parse(line(id="open", result={"protocolVersion": 1, "agentCapabilities": able}))
    (gone,) = found.parse(said)
    assert (gone.result.reason, gone.result.retry) == ("wrong_start", Retry.SWITCH)


NEVER_OPEN = [
    (line(id="open", result={"protocolVersion": 2}), "no_conversation", "it speaks version 2 of the protocol"),
    (line(id="open", result=[]), "no_conversation", "it answered nothing that the protocol knows"),
    (line(id="open", error={"code": -32603, "message": "broken"}), "no_conversation", "broken"),
    (line(id="session", result={}), "no_conversation", "it opened a conversation without a name"),
    (line(id="session", error={"code": 401, "message": "Invalid API key"}), "not_logged_in", "Invalid API key"),
    (line(id="session", result={"sessionId": "s", "modes": {"availableModes": [{"id": "a"}]}}), "usage_error",
     "it has no mode default: write ask, edits, read-only, all, a"),
]  # fmt: skip


@tabled(("said", "reason", "words"), NEVER_OPEN)
def test_what_can_not_be_opened_says_why(said, reason, words):
    heard = connection("qwen")
    if b'"open"' not in said:
        heard.parse(line(id="open", result={"protocolVersion": 1}))
    (found,) = heard.parse(said)
    assert (found.result.reason, found.result.text) == (reason, words)


ALL_OF_OPENCODE = (
    '{"bash":"allow","edit":"allow","webfetch":"allow","external_directory":"allow","doom_loop":"allow","read":"allow"}'
)
MODES = [
    ("gemini", None, None, []),  # it is in it already
    ("gemini", "all", None, ["yolo"]),
    ("qwen", "edits", None, ["auto-edit"]),
    ("opencode", "read-only", '{"bash":"ask","edit":"deny","webfetch":"ask"}', ["plan"]),
    ("opencode", "all", ALL_OF_OPENCODE, []),
    ("opencode", "plan", '{"bash":"ask","edit":"ask","webfetch":"ask"}', ["plan"]),  # a word of its own
    ("opencode", None, '{"bash":"ask","edit":"ask","webfetch":"ask"}', []),
]


@tabled(("program", "word", "variable", "modes"), MODES)
def test_one_word_means_the_same_with_each_and_nobody_is_unasked_by_default(program, word, variable, modes):
    found = connection(program, permission_mode=word)
    found.parse(line(id="open", result={"protocolVersion": 1}))
    facts = found.parse(line(id="session", result={"sessionId": "s", "modes": {"currentModeId": "default"}}))
    assert [one["params"]["modeId"] for one in owed(facts)] == modes
    agent = Agent(permission_mode=word)
    launch = registry.get(program).launch(LaunchRequest(AgentMode.HEADLESS, agent, "s", resume=False))
    assert launch.environment.get("OPENCODE_PERMISSION") == variable


COPILOT_MODES = [
    (None, "false", (), []),
    ("edits", "false", ("--allow-tool=write",), []),
    ("read-only", "false", (), ["https://example.org/modes#plan"]),
    ("all", "true", ("--allow-all",), []),
    ("plan", "false", (), ["https://example.org/modes#plan"]),
]


@tabled(("word", "variable", "arguments", "modes"), COPILOT_MODES)
def test_modes_that_are_called_by_addresses_are_known_by_their_names(word, variable, arguments, modes):
    found = connection("copilot", permission_mode=word)
    found.parse(line(id="open", result={"protocolVersion": 1}))
    offered = [f"https://example.org/modes#{name}" for name in ("agent", "plan")]
    told = {"currentModeId": offered[0], "availableModes": [{"id": one} for one in offered]}
    facts = list(found.parse(line(id="session", result={"sessionId": "s", "modes": told})))
    assert [one["params"]["modeId"] for one in owed(facts)] == modes
    facts += found.parse(line(id="mode", result={}))
    assert SessionNamed("s", None, "plan" if modes else "agent", forks=False) in facts
    launch = registry.get("copilot").launch(LaunchRequest(AgentMode.HEADLESS, Agent(permission_mode=word), "s", False))
    assert launch.argv == ("copilot", "--acp", *arguments)
    assert launch.environment["COPILOT_ALLOW_ALL"] == variable


DENIED = [
    ("gemini", "yolo", "Bash", False), ("gemini", "all", "Edit(x)", False), ("gemini", "edits", "Edit(x)", False),
    ("gemini", "autoEdit", "Edit(x)", False), ("gemini", "edits", "Bash(rm:*)", True), ("gemini", None, "Edit", True),
    ("copilot", "edits", "Edit", False), ("copilot", "ask", "Edit", True), ("opencode", "all", "Bash", False),
]  # fmt: skip


@tabled(("program", "word", "rule", "taken"), DENIED)
def test_a_denial_is_refused_beside_a_mode_that_does_not_ask(program, word, rule, taken):
    refused = registry.get(program).refuse(Agent(permission_mode=word, deny=(rule,)))
    assert (refused is None) is taken


FIRST_WORDS = [
    (None, None, []),
    ("<notes a1>\n  | x\n</notes a1>\n", None, ["<notes a1>\n  | x\n</notes a1>\n"]),
    ("Notes: overmind recall\n", 'say "é"', ["<notes>\nNotes: overmind recall\n</notes>\n",
                                            '<instructions>\nsay "é"\n</instructions>\n']),
]  # fmt: skip


@tabled(("notes", "instructions", "texts"), FIRST_WORDS)
def test_what_stands_before_the_first_words_of_a_conversation_is_no_persons(notes, instructions, texts):
    program = registry.get("qwen")
    agent = Agent(append_system_prompt=instructions)
    start = LaunchRequest(AgentMode.HEADLESS, agent, "s", resume=False, notes=notes)
    words = program.launch(start).first_words or ""
    said = opened("qwen").message("hello", "u")
    whole = json.loads(said[: program.words_at] + words.encode() + said[program.words_at :])
    assert [one["text"] for one in whole["params"]["prompt"]] == [*texts, "hello"]
    assert {**whole, "params": {**whole["params"], "prompt": whole["params"]["prompt"][-1:]}} == json.loads(said)


def test_a_model_is_an_argument_or_set():
    agent = Agent(model="m2", arguments=("--debug",))
    argv = registry.get("gemini").launch(LaunchRequest(AgentMode.HEADLESS, agent, "s", resume=False)).argv
    assert argv == ("gemini", "--acp", "--model", "m2", "--debug")
    found = connection("opencode", model="m2")
    found.parse(line(id="open", result={"protocolVersion": 1}))
    (chosen,) = owed(found.parse(line(id="session", result={"sessionId": "s"})))
    assert chosen["params"] == {"sessionId": "s", "configId": "model", "value": "m2"}
    (refused,) = found.parse(line(id="model", error={"code": -32602, "message": "Unknown model"}))
    assert (refused.result.reason, refused.result.text) == ("usage_error", "it refused the model m2: Unknown model")


# turns


def test_an_answer_is_the_sum_of_its_pieces_and_what_comes_late_is_none():
    found = opened()
    found.message("hi", "u")
    facts = [*found.parse(text("one\ntw")), *found.parse(text("o")), *found.parse(text("", _meta={"usage": {}}))]
    assert facts == [TurnBegan(), TextSpoken("one")]
    facts = [*found.parse(update("tool_call", toolCallId="c", kind="other", title="look", status="in_progress"))]
    assert facts[0] == TextSpoken("two")
    found.parse(text("three"))
    (spoken, ended) = found.parse(answer())
    assert spoken == TextSpoken("three")
    assert (ended.result.text, ended.result.raw["result"]) == ("one\ntwo\n\nthree",) * 2
    assert found.parse(text("late")) == ()
    assert found.parse(answer()) == (), "nothing was asked"


ENDS = [
    ({"result": {"stopReason": "end_turn"}}, True, None, Retry.POLICY),
    ({"result": {"stopReason": "cancelled"}}, False, "interrupted", Retry.POLICY),
    ({"result": {"stopReason": "max_turn_requests"}}, False, "max_turns", Retry.POLICY),
    ({"result": {"stopReason": "refusal"}}, False, "refused", Retry.POLICY),
    ({"result": None}, True, None, Retry.POLICY),
    ({"error": {"code": 500, "message": "down"}}, False, "api_error 500", Retry.POLICY),
    ({"error": {"code": -32603, "message": "status 429"}}, False, "api_error 429", Retry.POLICY),
    ({"error": {"code": -32603, "message": "Bad Request 400"}}, False, "api_error 400", Retry.NEVER),
    ({"error": {"code": -32603, "data": {"details": "401 Unauthorized"}}}, False, "not_logged_in", Retry.NEVER),
    ({"error": "odd"}, False, "api_error", Retry.POLICY),
]


@tabled(("reply", "ok", "reason", "retry"), ENDS)
def test_the_reply_to_a_prompt_says_how_its_turn_ended(reply, ok, reason, retry):
    found = opened()
    found.message("hi", "u")
    (_, ended) = found.parse(answer(**reply))
    assert (ended.result.ok, ended.result.reason, ended.result.retry) == (ok, reason, retry)


SAID_BY_COPILOT = [
    ("Error: 400 Bad Request", "api_error 400", Retry.NEVER),
    ("Error: Authentication failed with provider at http://a (HTTP 401).\n  Check it.", "not_logged_in", Retry.NEVER),
    ("Error: Model 'm' not found on provider at http://a (HTTP 404).", "api_error 404", Retry.NEVER),
    ("Error: Could not connect to local model provider at http://a.", "api_error", Retry.POLICY),
    ("Error: The provider rejected the prompt as too long.", "api_error", Retry.POLICY),
    (
        "Error: Failed to get response from the AI model; retried 5 times Last error: 529 no",
        "api_error 529",
        Retry.POLICY,
    ),
    ("Error: list index out of range: that is what it prints.", None, Retry.POLICY),
    ("Failed to get response from the AI model", None, Retry.POLICY),
]


@tabled(("said", "reason", "retry"), SAID_BY_COPILOT)
def test_an_answer_in_which_the_program_says_that_it_has_failed_is_none(said, reason, retry):
    found = opened("copilot")
    found.message("hi", "u")
    facts = [*found.parse(text("Info: Retrying...")), *found.parse(text(said))]
    assert facts[1] == TextSpoken("Info: Retrying..."), "lines of the program itself stand alone"
    (result,) = results(found.parse(answer()))
    assert (result.reason, result.retry) == (reason, retry)
    found.message("hi", "v")
    found.parse(text(said))
    found.parse(text("Here it is."))
    assert results(found.parse(answer("v")))[0].ok, "it has gone on"


def test_a_try_of_the_program_itself_is_a_limit_and_no_part_of_the_answer():
    found = opened("copilot")
    found.message("hi", "u")
    said = "Info: Request failed due to a transient API error. Retrying...\n\n"
    assert found.parse(text(said)) == (TurnBegan(), TextSpoken(said), Retrying(0, 0, 0.0, said.strip()))
    found.parse(text(f"It prints {said}"))
    assert results(found.parse(answer()))[0].text == f"It prints {said}".strip()


def test_what_a_process_has_used_is_counted_from_turn_to_turn():
    totals = [one.process_usage for one in results(played("copilot"))]
    assert totals == sorted(totals)
    turns = [one.usage for one in results(played("copilot"))]
    assert [sum(column) for column in zip(*turns, strict=True)] == [*totals[-1]]
    late = connection("copilot", in_turn=True)
    (result,) = results(late.parse(answer(result={"usage": {"inputTokens": 900, "outputTokens": 9}})))
    assert (result.process_usage, result.usage) == ((900, 9, 0, 0), (0, 0, 0, 0)), "what was before is not known"


TOKENS = [
    ({"inputTokens": 90, "outputTokens": 9, "totalTokens": 99, "thoughtTokens": 1, "cachedReadTokens": 30},
     (60, 9, 30, 0)),
    ({"inputTokens": 90, "outputTokens": 9, "totalTokens": 130, "thoughtTokens": 1, "cachedReadTokens": 30},
     (90, 10, 30, 0)),
    ({"inputTokens": 90, "outputTokens": 9, "totalTokens": 104, "cachedWriteTokens": 5}, (90, 9, 0, 5)),
    ({"inputTokens": 90, "outputTokens": 9, "totalTokens": 104, "thoughtTokens": 5, "cachedReadTokens": 30},
     (60, 14, 30, 0)),
    ({"inputTokens": 9, "outputTokens": 1, "cachedReadTokens": 30}, (0, 1, 30, 0)),
]  # fmt: skip


@tabled(("told", "used"), TOKENS)
def test_tokens_of_the_cache_are_counted_once_wherever_a_program_counts_them(told, used):
    heard = connection("opencode", in_turn=True)
    (result,) = results(heard.parse(answer(result={"stopReason": "end_turn", "usage": told})))
    assert result.usage == used


TO_NOTHING = [answer("1"), answer(""), answer("2x"), line(id=None, result={}), line(id=2, result={}), line(id=["m2"]),
              line(result={"stopReason": "end_turn"}), line(id="session", result={"sessionId": "other"})]  # fmt: skip


@pytest.mark.parametrize("reply", TO_NOTHING, ids=range(len(TO_NOTHING)))
def test_a_reply_to_nothing_or_one_that_comes_twice_ends_no_turn(reply):
    first = opened()
    assert results(first.parse(answer("2"))) == [], "a reply before its request was written"
    first.message("a", "1")
    assert results(first.parse(answer("1")))
    first.message("b", "2")
    request = ConnectionRequest(AgentMode.HEADLESS, Agent(), "s", False, "/w", in_turn=True, message="2")
    for found in (first, registry.get("opencode").connect(request)):
        assert found.parse(reply) == ()
        found.parse(text("to b"))
        assert results(found.parse(answer("2")))[0].text == "to b"
        assert found.parse(answer("2")) == ()


def test_two_questions_of_one_id_are_both_asked_and_answered():
    found = opened()
    found.message("hi", "u")
    asked = [found.parse(ask(0, toolCallId=call, rawInput={"command": call}))[-1] for call in ("c1", "c2")]
    assert [one.subject["command"] for one in asked] == ["c1", "c2"]
    assert [json.loads(found.answer(one, Decision(Behaviour.ALLOW)))["id"] for one in asked] == [0, 0]


def test_a_tool_that_never_returns_holds_up_neither_its_turn_nor_the_next():
    found = opened()
    found.message("hi", "u")
    begun = update("tool_call", toolCallId="c1", kind="execute", title="make", status="in_progress")
    assert any(isinstance(fact, ToolCalled) for fact in found.parse(begun))
    assert results(found.parse(answer()))[0].ok
    assert found.parse(text("behind the reply")) == ()
    found.message("more", "v")
    assert any(isinstance(fact, ToolCalled) for fact in found.parse(begun)), "another turn's call may be called so"
    found.parse(text("words"))
    assert results(found.parse(answer("v")))[0].text == "words"


@pytest.mark.parametrize("name", ["../../x", "\x1b[31m", "a\0b\n", "é" * 600, "x" * 1_000_000])
def test_a_conversation_is_called_as_its_program_calls_it_and_stays_that(name):
    found = connection()
    found.parse(line(id="open", result={"protocolVersion": 1}))
    (named, _) = found.parse(line(id="session", result={"sessionId": name}))
    assert named.session == name[: engine.LONGEST_ID]
    assert json.loads(found.message("hi", "u"))["params"]["sessionId"] == named.session
    able: dict[str, Any] = {"sessionCapabilities": {"resume": {}}}
    found = connection(resume=True, session="old")
    found.parse(line(id="open", result={"protocolVersion": 1, "agentCapabilities": able}))
    (named, _) = found.parse(line(id="session", result={"sessionId": name}))
    assert named.session == "old"


def test_a_turn_goes_on_for_whoever_takes_over():
    heard = [text("so "), ask(7)]
    first = opened()
    first.message("hi", "u")
    for one in heard:
        first.parse(one)
    second = connection(in_turn=True)
    for one in heard:
        second.parse(one)
    for found in (first, second):
        assert [*found.parse(text("far")), *found.parse(answer())][-1].result.text == "so \n\nfar"


def test_a_turn_of_which_nothing_was_heard_begins_with_its_first_piece():
    assert connection(in_turn=True).parse(text("hi\n")) == (TurnBegan(), TextSpoken("hi"))
    assert connection().parse(text("hi\n")) == ()


def test_what_is_told_outside_of_a_turn_begins_none():
    late = [
        update("tool_call_update", toolCallId="c1", status="completed"),
        update("tool_call", toolCallId="c2", kind="execute", title="make", status="in_progress"),
        update("plan", entries=[]),
    ]
    found = opened()
    for _ in range(2):
        assert [fact for one in late for fact in found.parse(one)] == [], "no reply would end it"
        found.message("hi", "u")
        found.parse(update("tool_call", toolCallId="c1", kind="execute", title="make", status="in_progress"))
        found.parse(answer())


def test_a_question_outside_of_a_turn_is_asked_and_answered_and_begins_none():
    found = opened()
    (asked,) = found.parse(ask(7))
    assert asked.summary == "Bash: make"
    assert json.loads(found.answer(asked, Decision(Behaviour.ALLOW)))["id"] == 7


def test_updates_of_another_conversation_mean_nothing():
    found = opened()
    found.message("hi", "u")
    other = {"sessionId": "../x", "update": {"sessionUpdate": "agent_message_chunk"}}
    assert found.parse(line(method="session/update", params=other)) == ()


# questions

ANSWERS = [
    (Behaviour.ALLOW, None, {"outcome": "selected", "optionId": "o1"}),
    (Behaviour.ALWAYS, None, {"outcome": "selected", "optionId": "o1"}),  # our own rule sees to the rest
    (Behaviour.DENY, None, {"outcome": "selected", "optionId": "o2"}),
    (Behaviour.ALLOW, ["allow_always"], {"outcome": "selected", "optionId": "o0"}),
    (Behaviour.ALLOW, ["reject_once"], {"outcome": "cancelled"}),
    (Behaviour.DENY, [], {"outcome": "cancelled"}),
    (Behaviour.DENY, ["allow_once"] * 500, {"outcome": "cancelled"}),
]


@tabled(("behaviour", "options", "outcome"), ANSWERS)
def test_an_answer_chooses_one_of_the_options(behaviour, options, outcome):
    found = opened()
    found.message("hi", "u")
    asked = found.parse(ask(options=options))[-1]
    reply = json.loads(found.answer(asked, Decision(behaviour)))
    assert (reply["id"], reply["result"]["outcome"]) == (0, outcome)


@pytest.mark.parametrize("number", [0, "0", None, 10**39, "", "m1", "open", -1, 1.5])
def test_the_id_of_a_question_comes_back_as_it_was(number):
    found = opened()
    asked = found.parse(ask(number))[-1]
    assert json.loads(found.answer(asked, Decision(Behaviour.ALLOW)))["id"] == number
    (refused,) = owed(found.parse(line(id=number, method="fs/read_text_file", params={})))
    assert (refused["id"], refused["error"]["code"]) == (number, -32601)


def test_an_interrupt_takes_back_what_is_asked():
    found = opened()
    found.message("hi", "u")
    asked = [found.parse(ask(number))[-1] for number in (1, 2)]
    cancel, *replies = [json.loads(one) for one in found.interrupt("x", asked).splitlines()]
    assert (cancel["method"], "id" in cancel) == ("session/cancel", False)
    assert [(one["id"], one["result"]["outcome"]["outcome"]) for one in replies] == [(1, "cancelled"), (2, "cancelled")]


def test_a_tool_that_was_denied_has_not_failed_by_itself():
    found = opened()
    found.message("hi", "u")
    asked = found.parse(ask())[-1]
    found.answer(asked, Decision(Behaviour.DENY))
    over = update("tool_call_update", toolCallId="c1", status="failed")
    (returned,) = [fact for fact in found.parse(over) if isinstance(fact, ToolReturned)]
    assert (returned.failed, returned.denied) == (True, True)
    assert found.parse(over) == (), "it returns twice"


def diff(path, old, new):
    return {"type": "diff", "path": path, "oldText": old, "newText": new}


SUBJECTS = [
    # the call, the tool as rules know it, its subject
    ({}, "Bash", {"command": "make"}),
    ({"rawInput": {"command": ["rm", "a b"]}}, "Bash", {"command": "rm 'a b'"}),
    ({"rawInput": {"command": "rm x", "workdir": "../other", "timeout": 5, "description": ""}}, "Bash",
     {"command": "rm x", "workdir": "../other", "timeout": 5, "cwd": "/other"}),
    ({"rawInput": {"command": "rm x", "workdir": "/w"}}, "Bash", {"command": "rm x", "workdir": "/w"}),
    ({"rawInput": {"command": 3}, "title": "ls"}, "Bash", {"command": "ls", "title_only": True}),
    ({"kind": "edit", "content": [diff("/a", "1", "2")]}, "Edit",
     {"file_path": "/a", "old_string": "1", "new_string": "2"}),
    ({"kind": "edit", "content": [diff("/a", None, "2")]}, "Edit", {"file_path": "/a", "content": "2"}),
    ({"kind": "edit", "content": [diff("/a", "1", "2"), diff("/a", "3", "4")]}, "Edit",
     {"file_path": "/a", "edits": [{"old_string": "1", "new_string": "2"}, {"old_string": "3", "new_string": "4"}]}),
    ({"kind": "edit", "content": [diff("/a", "1", "2"), diff("/b", "", "4")]}, "Edit",
     {"title": "make", "files": [{"file_path": "/a", "old_string": "1", "new_string": "2"},
                                 {"file_path": "/b", "content": "4"}]}),
    ({"kind": "delete", "locations": [{"path": "/a"}]}, "Edit", {"file_path": "/a", "title": "make"}),
    ({"kind": "move", "locations": [{"path": "/a"}, {"path": "/b"}]}, "Edit", {"title": "make", "files": ["/a", "/b"]}),
    ({"kind": "move", "content": [diff("/b", "1", "2")], "locations": [{"path": "/a"}, {"path": "/b"}]}, "Edit",
     {"title": "make", "files": [{"file_path": "/b", "old_string": "1", "new_string": "2"}, "/a"]}),
    ({"kind": "edit", "locations": [{"path": "/w/a"}, {"path": "/w/b"}], "rawInput": {"filepath": "a, b"}}, "Edit",
     {"title": "make", "files": ["/w/a", "/w/b"]}),
    ({"kind": "edit", "locations": [{"path": "/w/a"}, {"path": "a"}], "rawInput": {"filepath": "top/a"}}, "Edit",
     {"file_path": "/w/a", "title": "make"}),
    ({"kind": "edit", "rawInput": {"filepath": "src/a"}}, "Edit", {"file_path": "src/a", "title": "make"}),
    ({"kind": "edit", "rawInput": {"filepath": "src/a, ../b"}}, "Edit", {"title": "make"}),
    ({"kind": "edit"}, "Edit", {"title": "make"}),
    ({"kind": "edit", "content": [diff("/a", None, "2"), diff("", None, "4")]}, "Edit",
     {"title": "make", "files": [{"file_path": "/a", "content": "2"}, {"file_path": "", "content": "4"}]}),
    ({"kind": "read", "locations": [{"path": "/a"}, {"path": "/b"}]}, "Read", {"title": "make", "files": ["/a", "/b"]}),
    ({"kind": "read", "rawInput": {"pages": 2, "files": "x"}}, "Read", {"title": "make", "pages": 2}),
    ({"kind": "read", "locations": [{"path": "/a"}]}, "Read", {"file_path": "/a"}),
    ({"kind": "fetch", "rawInput": {"url": "https://x.org"}}, "WebFetch", {"url": "https://x.org"}),
    ({"kind": "fetch", "rawInput": {"prompt": "x"}}, "WebFetch", {"title": "make", "prompt": "x"}),
    ({"kind": "strange", "rawInput": {"a": 1}}, "Tool", {"title": "make", "a": 1}),
    ({"kind": ["execute"]}, "Tool", {"title": "make", "command": "make"}),
]  # fmt: skip


@tabled(("call", "tool", "subject"), SUBJECTS)
def test_a_question_shows_all_that_would_run_in_the_words_of_rules(call, tool, subject):
    asked = opened().parse(ask(**call))[-1]
    assert (asked.tool, dict(asked.subject)) == (tool, subject)


def test_a_rule_covers_each_file_of_a_change_of_a_thousand_and_more():
    told = [{"path": f"/w/src/{number}"} for number in range(1500)]
    for more, decision in (([], Behaviour.ALLOW), ([{"path": "/w/.env"}], None)):
        asked = opened().parse(ask(kind="edit", rawInput={}, locations=[*told, *more]))[-1]
        found = decide(["Edit(src/**)"], [], asked.tool, asked.subject, "/w")
        assert (None if found is None else found[0]) == decision


def test_a_question_without_a_title_or_with_a_huge_one_is_one_line():
    asked = opened().parse(ask(title="\x1b[31m" + "x" * 1_000_000, rawInput={}))[-1]
    assert len(asked.summary) < 300
    assert opened().parse(ask(title="", kind="other", rawInput={}))[-1].summary == "Tool"


RULES = [
    (["Bash"], [], (Behaviour.ALLOW, "Bash")),
    (["Bash(make)"], [], (Behaviour.ALLOW, "Bash(make)")),
    (["Bash(make:*)"], [], None),
    (["Bash(m*)"], [], None),
    (["Bash"], ["Bash(make:*)"], (Behaviour.DENY, "Bash(make:*)")),
]


@tabled(("allow", "deny", "decision"), RULES)
def test_no_pattern_allows_a_command_of_which_only_the_title_is_known(allow, deny, decision):
    assert decide(allow, deny, "Bash", {"command": "make", "title_only": True}, "/w") == decision


def test_it_is_said_that_only_the_title_is_known():
    shown = approval_lines({"command": "make", "title_only": True})
    assert shown == ["$ make", "  (as its program calls it: the command itself is not told)"]


# hostile lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["id", "method", "params", "result", "error", "update", "sessionUpdate", "sessionId", "toolCall", "toolCallId",
     "content", "options", "kind", "title", "status", "rawInput", "locations", "modes", "usage", "_meta", "cost"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["open", "session", "mode", "model", "mu", "session/update", "session/request_permission", "agent_message_chunk",
     "tool_call", "tool_call_update", "execute", "edit", "read", "completed", "failed", "s"]
)  # fmt: skip
SHAPED = st.recursive(
    WORDS | JSON, lambda inner: st.dictionaries(KEYS, inner, max_size=6) | st.lists(inner, max_size=3), max_leaves=20
)


@given(st.lists(SHAPED, max_size=6), st.sampled_from(PROGRAMS))
def test_nothing_that_is_json_is_too_much(said, program):
    found = opened(program)
    found.message("hi", "u")
    for one in said:
        for fact in found.parse(json.dumps(one).encode()):
            if isinstance(fact, Asked):
                json.loads(found.answer(fact, Decision(Behaviour.ALLOW)))
            if isinstance(fact, Owed):
                json.loads(fact.data)
    found.parse(answer())


@given(st.binary(max_size=200), st.sampled_from(PROGRAMS))
def test_a_line_that_is_none_is_shown_as_it_is(said, program):
    shown = [fact for fact in opened(program).parse(said) if isinstance(fact, PlainLine)]
    assert len(shown) <= 1


ODD = [b"[]", b"3", b'"x"', b"{", b"null", b"\xff\xfe", b"a banner", b'{"jsonrpc":"2.0","id":"m']


@pytest.mark.parametrize("said", ODD)
def test_what_is_no_object_is_a_plain_line(said):
    (found,) = opened().parse(said)
    assert isinstance(found, PlainLine)


def test_a_long_answer_is_kept_to_its_limit_and_a_flood_of_calls_to_theirs():
    found = opened()
    found.message("hi", "u")
    for _ in range(5):
        found.parse(text("x" * (engine.LONGEST_ANSWER // 4)))
    for number in range(engine.MOST_CALLS + 10):
        found.parse(update("tool_call", toolCallId=str(number), kind="other", title="t", status="in_progress"))
    assert len(found.parse(answer())[-1].result.text) == engine.LONGEST_ANSWER
