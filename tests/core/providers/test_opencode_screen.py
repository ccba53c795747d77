"""The words of opencode's server: what its events mean, what is news behind a lost connection, and hostile ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overmind_core.domain.agents.agent import Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    Echoed,
    LimitReached,
    ModelCalled,
    NotOpened,
    Retry,
    SessionNamed,
    SessionReady,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
)
from overmind_core.domain.agents.conversation import ForkPoint
from overmind_core.providers.base import ConnectionRequest, LaunchRequest, Lookup, Standing
from overmind_core.providers.rpc.opencode_screen import Opencode, OpencodeServer

Json = dict[str, Any]

SCREENS = Path(__file__).parents[2] / "data" / "screens"

OURS, CHILD, OTHER = "ses_ours", "ses_child", "ses_other"
NOW = 1_800_000_000.0
FRESH = Standing(awaited="", in_turn=False, asked=frozenset(), counted=frozenset(), since=NOW)
ASKED: Json = {
    "id": "per_1",
    "sessionID": OURS,
    "permission": "bash",
    "patterns": ["touch made"],
    "metadata": {"command": "touch made"},
    "tool": {"messageID": "msg_2", "callID": "call_1"},
}
CHOICE: Json = {
    "question": "Which?",
    "header": "db",
    "options": [{"label": "A", "description": "a"}, {"label": "B"}],
    "multiple": True,
}
TOKENS: Json = {"total": 110, "input": 80, "output": 7, "reasoning": 0, "cache": {"read": 20, "write": 3}}


def server(**more: Any) -> OpencodeServer:
    """One that goes on with the conversation `OURS`, settled."""
    agent = more.pop("agent", Agent(home=AgentMode.INTERACTIVE))
    request = ConnectionRequest(AgentMode.INTERACTIVE, agent, OURS, resume=True, cwd="/work")._replace(**more)
    found = Opencode().serve(request)
    assert isinstance(found, OpencodeServer)
    found.settle([{}, [], [], []], FRESH)
    return found


def event(kind: str, **properties: Any) -> bytes:
    return b"data: " + json.dumps({"id": "evt_1", "type": kind, "properties": properties}).encode()


def user(name: str = "msg_1", session: str = OURS, at: float = NOW) -> Json:
    model = {"providerID": "stub", "modelID": "small"}
    time = {"created": at * 1000}
    return {"id": name, "sessionID": session, "role": "user", "agent": "build", "model": model, "time": time}


def answer(name: str = "msg_2", session: str = OURS, *, whole: bool = False, **more: Any) -> Json:
    time = {"created": NOW * 1000, **({"completed": NOW * 1000 + 9} if whole else {})}
    told = {"cost": 0.5, "tokens": TOKENS, "finish": "stop"} if whole else {"cost": 0, "tokens": {}}
    return {"id": name, "sessionID": session, "role": "assistant", "time": time, **told, **more}


def text(words: str, message: str = "msg_1", session: str = OURS, **more: Any) -> Json:
    return {"type": "text", "text": words, "messageID": message, "sessionID": session, "id": "prt_1", **more}


def tool(status: str, **state: Any) -> Json:
    whole = {"status": status, "input": {"command": "touch made"}, **state}
    return {"type": "tool", "tool": "bash", "callID": "call_1", "messageID": "msg_2", "sessionID": OURS, "state": whole}


def status(kind: str, session: str = OURS, **more: Any) -> bytes:
    return event("session.status", sessionID=session, status={"type": kind, **more})


def heard(talk: OpencodeServer, *lines: bytes, still: str = "idle") -> list[Any]:
    """The facts of these lines; `still`: what it does, where that is looked up."""
    found: list[Any] = []
    for fact in (fact for line in lines for fact in talk.parse(line)):
        if isinstance(fact, Lookup) and fact.path == "/session/status":
            found += talk.looked_up(fact, {OURS: {"type": still}})
        else:
            found.append(fact)
    return found


TURN = (
    event("message.updated", info=user()),
    event("message.part.updated", part=text("hello", metadata={"overmind": "u-1"})),
    status("busy"),
    event("message.updated", info=answer()),
    event("message.part.delta", sessionID=OURS, delta="running"),
    event("message.part.updated", part=tool("pending")),
    event("message.part.updated", part=tool("running")),
    event("message.part.updated", part=tool("running", metadata={"output": "x"})),
    event("message.part.updated", part=tool("completed", output="x", metadata={"exit": 3})),
    event("message.part.updated", part=text("", "msg_2", time={"start": 1})),
    event("message.part.updated", part=text("done", "msg_2", time={"start": 1, "end": 2})),
    event("message.updated", info=answer(whole=True)),
    status("idle"),
)


def test_a_turn_is_told_from_its_message_to_its_answer_with_what_each_call_has_used():
    named, echoed, began, called, returned, spoken, used, ended = heard(server(), *TURN)
    assert named == SessionNamed(OURS, "stub/small")
    assert (echoed, began) == (Echoed("hello", "u-1"), TurnBegan())
    assert isinstance(called, ToolCalled)
    assert (called.summary, called.runs, called.command) == ("Bash: touch made", True, "touch made")
    assert isinstance(returned, ToolReturned)
    assert (returned.failed, returned.exit_code) == (True, 3)
    assert spoken == TextSpoken("done")
    assert used == ModelCalled("msg_2", TokenUsage(80, 7, 20, 3), 0.5, final=True)
    assert isinstance(ended, TurnEnded)
    assert ended.result is not None
    assert (ended.result.ok, ended.result.text) == (True, "done")


def test_tokens_that_were_thought_are_counted_once():
    talk = server()
    tokens = {"input": 1, "output": 10, "reasoning": 4}
    beside, within = {**tokens, "total": 15}, {**tokens, "total": 11}
    found = []
    for name, told in (("msg_2", beside), ("msg_3", within)):
        lines = [event("message.updated", info=answer(name, whole=whole, tokens=told)) for whole in (False, True)]
        found += heard(talk, *lines)
    assert [one.usage.output for one in found] == [14, 10]


@pytest.mark.parametrize(
    ("error", "reason", "retry"),
    [
        ({"name": "MessageAbortedError", "data": {"message": "Aborted"}}, "interrupted", Retry.POLICY),
        ({"name": "APIError", "data": {"message": "no", "statusCode": 401}}, "api_error 401", Retry.NEVER),
        ({"name": "APIError", "data": {"message": "no", "statusCode": 500}}, "api_error 500", Retry.POLICY),
        ({"name": "ProviderAuthError", "data": {"message": "no key"}}, "not_logged_in", Retry.NEVER),
        ({"name": "MessageOutputLengthError", "data": {}}, "max_tokens", Retry.POLICY),
        ({"name": 7, "data": "?"}, "api_error", Retry.POLICY),
    ],
)
def test_a_turn_that_fails_says_why(error, reason, retry):
    *_, ended = heard(server(), *TURN[:3], event("session.error", sessionID=OURS, error=error), status("idle"))
    assert (ended.result.ok, ended.result.reason, ended.result.retry) == (False, reason, retry)


def test_an_error_before_its_program_has_begun_to_work_ends_the_turn_at_once():
    error = {"name": "UnknownError", "data": {"message": "Model not found: stub/none"}}
    *_, ended = heard(server(), *TURN[:2], event("session.error", sessionID=OURS, error=error))
    assert ended.result.text == "Model not found: stub/none"
    aborted = {"name": "MessageAbortedError", "data": {}}
    assert heard(server(), event("session.error", sessionID=OURS, error=aborted)) == []


def test_an_end_that_is_told_again_in_the_next_turn_ends_nothing():
    talk = server()
    assert TurnEnded not in map(type, heard(talk, *TURN[:2], status("idle"))), "it has not begun"
    assert TurnEnded not in map(type, heard(talk, status("busy"), status("idle"), still="busy"))
    assert [type(one) for one in heard(talk, status("idle"), status("idle"))] == [TurnEnded, TurnEnded]


def test_an_interrupt_that_is_told_again_in_the_next_turn_is_not_of_that():
    talk, aborted = server(), {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
    error = event("session.error", sessionID=OURS, error=aborted)
    *_, first = heard(talk, *TURN[:4], error, status("idle"))
    begun = event("message.updated", info=user("msg_3")), event("message.part.updated", part=text("more", "msg_3"))
    late = event("message.updated", info=answer(whole=True, error=aborted))
    said = event("message.part.updated", part=text("done", "msg_4", time={"start": 1, "end": 2}))
    *_, second = heard(talk, *begun, status("busy"), late, said, status("idle"))
    assert (first.result.reason, second.result.reason, second.result.text) == ("interrupted", None, "done")


def test_a_request_that_is_tried_again_is_a_limit_until_then():
    (limited,) = heard(server(), status("retry", attempt=2, message="stub error 429", next=NOW * 1000))
    assert limited == LimitReached(NOW, "api_error 429")


@pytest.mark.parametrize(("goes_on", "reason"), [(False, "interrupted"), (True, None)])
def test_a_turn_that_ends_between_two_tries_was_interrupted(goes_on, reason):
    again = [status("busy")] if goes_on else []
    *_, ended = heard(server(), *TURN[:3], status("retry", message="429", next=1), *again, status("idle"))
    assert ended.result.reason == reason


def test_a_permission_shows_the_use_of_the_tool_as_it_stands_in_the_message():
    talk = server()
    (lookup,) = heard(talk, event("permission.asked", **ASKED))
    assert (isinstance(lookup, Lookup), lookup.path) == (True, f"/session/{OURS}/message/msg_2")
    given = {"command": "touch made", "description": "make it", "workdir": "/etc"}
    (asked,) = talk.looked_up(lookup, {"parts": [tool("running", input=given)]})
    assert isinstance(asked, Asked)
    subject = {"command": "touch made", "description": "make it", "workdir": "/etc", "cwd": "/etc"}
    assert (asked.request, asked.need, asked.tool) == ("per_1", AgentNeed.PERMISSION, "Bash")
    assert {name: value for name, value in asked.subject.items() if name in given} == given
    assert set(asked.subject) - set(subject) <= {"__cwd", "cwd"}
    (blind,) = talk.looked_up(lookup, None)
    assert isinstance(blind, Asked)
    assert blind.subject == {"command": "touch made"}
    assert heard(talk, event("permission.replied", sessionID=OURS, requestID="per_1")) == [AskCancelled("per_1")]


@pytest.mark.parametrize(
    ("kind", "about", "given", "name", "subject"),
    [
        ("edit", {"filepath": "/src/a"}, {"filePath": "/src/a", "content": "x\n"}, "Edit",
         {"file_path": "/src/a", "content": "x\n"}),
        ("edit", {"filepath": "/src/a"}, {"filePath": "/src/a", "oldString": "x", "newString": "y"}, "Edit",
         {"file_path": "/src/a", "old_string": "x", "new_string": "y"}),
        ("edit", {"filepath": "/src/a", "diff": "-x\n+y"}, {"patchText": "…"}, "Edit",
         {"file_path": "/src/a", "title": "edit: a", "diff": "-x\n+y"}),
        ("read", {}, {"filePath": "/work/.env"}, "Read", {"file_path": "/work/.env"}),
        ("webfetch", {"url": "https://x"}, {"url": "https://x"}, "WebFetch", {"url": "https://x"}),
        ("external_directory", {"command": "ls /etc"}, {}, "Tool",
         {"title": "external_directory: a", "command": "ls /etc"}),
    ],
)  # fmt: skip
def test_other_permissions_are_named_as_rules_know_them(kind, about, given, name, subject):
    asked = {**ASKED, "permission": kind, "patterns": ["a"], "metadata": about}
    talk = server()
    (lookup,) = heard(talk, event("permission.asked", **asked))
    assert isinstance(lookup, Lookup)
    (fact,) = talk.looked_up(lookup, {"parts": [{**tool("running", input=given), "tool": kind}]})
    assert isinstance(fact, Asked)
    assert (fact.tool, fact.subject) == (name, subject)


def test_a_question_of_a_choice_is_answered_by_labels_or_words():
    talk = server()
    (asked,) = heard(talk, event("question.asked", id="que_1", sessionID=OURS, questions=[CHOICE, CHOICE]))
    assert (asked.need, asked.summary) == (AgentNeed.QUESTION, "Which? Which?")
    chosen = Decision(Behaviour.ALLOW, None, ("A", "B"), (("A", "B"), ("B",)))
    assert talk.answer(asked, chosen) == ("/question/que_1/reply", {"answers": [["A", "B"], ["B"]]})
    words = Decision(Behaviour.ALLOW, "neither")
    assert talk.answer(asked, words) == ("/question/que_1/reply", {"answers": [["neither"], ["neither"]]})
    assert talk.answer(asked, Decision(Behaviour.DENY)) == ("/question/que_1/reject", {})


def test_a_permission_is_allowed_once_whatever_is_wanted_later():
    asked = Asked("per_1", AgentNeed.PERMISSION, "Bash", "Bash: x", {})
    replies = [
        (Decision(Behaviour.ALLOW), {"reply": "once"}),
        (Decision(Behaviour.ALWAYS), {"reply": "once"}),
        (Decision(Behaviour.DENY), {"reply": "reject"}),
        (Decision(Behaviour.DENY, "use make"), {"reply": "reject", "message": "use make"}),
    ]
    assert [server().answer(asked, decision) for decision, _ in replies] == [
        ("/permission/per_1/reply", body) for _, body in replies
    ]


def test_a_helper_is_no_turn_of_its_own_but_what_it_uses_and_asks_counts():
    talk = server()
    facts = heard(
        talk,
        *TURN[:3],
        event("session.created", info={"id": CHILD, "parentID": OURS}),
        event("message.updated", info=user("msg_8", CHILD)),
        event("message.part.updated", part=text("look", "msg_8", CHILD)),
        status("busy", CHILD),
        event("message.updated", info=answer("msg_9", CHILD)),
        event("message.part.updated", part=text("seen", "msg_9", CHILD, time={"end": 1})),
        event("message.updated", info=answer("msg_9", CHILD, whole=True)),
        event("question.asked", id="que_1", sessionID=CHILD, questions=[CHOICE]),
        status("idle", CHILD),
    )
    assert [type(one) for one in facts] == [SessionNamed, Echoed, TurnBegan, ModelCalled, Asked]


def test_a_person_begins_another_conversation_with_its_first_message():
    talk = server()
    created = event("session.created", info={"id": OTHER})
    assert heard(talk, created, event("message.updated", info=user("msg_8", OTHER))) == []
    facts = heard(talk, event("message.part.updated", part=text("hello", "msg_8", OTHER)))
    assert facts == [SessionNamed(OTHER), Echoed("hello", "")]
    assert talk.message("next", "u-2", ()).path == f"/session/{OTHER}/prompt_async"


@pytest.mark.parametrize(("reply", "follows"), [({"id": OTHER}, True), ({"id": OTHER, "parentID": OURS}, False)])
def test_a_conversation_that_is_not_known_is_looked_up(reply, follows):
    talk = server()
    part = event("message.part.updated", part=text("hello", "msg_8", OTHER))
    (lookup,) = heard(talk, event("message.updated", info=user("msg_8", OTHER)), part)
    assert isinstance(lookup, Lookup)
    assert lookup.path == f"/session/{OTHER}"
    assert bool(talk.looked_up(lookup, reply)) is follows


def test_what_a_fork_copies_is_no_news():
    talk = server()
    old = {"time": {"created": NOW * 1000 - 5000, "completed": NOW * 1000 - 4000}}
    assert heard(talk, event("message.updated", info=answer("msg_7", whole=True) | old)) == []
    named = [f"msg_{(int(NOW * 1000) + later) % (1 << 36):09x}001Ab" for later in (20_000, 5)]
    copied, own = ([*heard(talk, event("message.updated", info=answer(name, whole=True)))] for name in named)
    assert (copied, [one.call for one in own]) == ([], [named[1]])
    used = {**tool("completed", output="x"), "sessionID": OTHER}
    assert heard(talk, event("message.part.updated", part=used)) == []


def test_events_that_tell_late_how_the_whole_stands_tell_it_once():
    talk = server()
    whole = [
        event("message.updated", info=answer(whole=True)),
        event("message.part.updated", part=tool("completed", output="x")),
        event("message.part.updated", part=text("done", "msg_2", time={"start": 1, "end": 2})),
    ]
    facts = heard(talk, *TURN[:3], *whole, *whole, status("idle"))
    assert [type(one) for one in facts[3:]] == [
        *(ModelCalled, ToolCalled, ToolReturned, TextSpoken, ModelCalled, TextSpoken, TurnEnded),
    ]
    assert facts[-1].result.text == "done"


def test_what_a_person_adds_to_a_turn_belongs_to_it_and_ours_is_known_by_its_name():
    talk = server()
    heard(talk, *TURN[:3])
    assert Echoed not in map(type, heard(talk, event("message.updated", info=user("msg_5")),
                                         event("message.part.updated", part=text("and", "msg_5"))))  # fmt: skip
    added = text("more", "msg_6", metadata={"overmind": "u-2"})
    *_, echoed = heard(talk, event("message.updated", info=user("msg_6")), event("message.part.updated", part=added))
    assert echoed == Echoed("more", "u-2")


def test_texts_that_nobody_wrote_are_no_message():
    talk = server()
    hidden = [text("notes", synthetic=True), text("x", ignored=True)]
    lines = [event("message.part.updated", part=one) for one in hidden]
    assert heard(talk, event("message.updated", info=user()), *lines) == [SessionNamed(OURS, "stub/small")]
    assert heard(talk, TURN[1]) == [Echoed("hello", "u-1")]


# what was missed


def listed(*messages: Json, running: bool = False, permissions: Any = (), questions: Any = ()) -> list[Any]:
    return [{OURS: {"type": "busy"}} if running else {}, [*permissions], [*questions], [*messages]]


def settled(replies: list[Any], **standing: Any) -> list[Any]:
    request = ConnectionRequest(AgentMode.INTERACTIVE, Agent(), OURS, resume=True, cwd="/work")
    return [*Opencode().serve(request).settle(replies, FRESH._replace(**standing))]


SENT: Json = {"info": user(), "parts": [text("hello", metadata={"overmind": "u-1"})]}
SAID: Json = {"info": answer(whole=True), "parts": [text("done", "msg_2")]}


def test_a_message_that_arrived_and_was_answered_meanwhile_is_told_and_counted():
    _, echoed, used, ended = settled(listed(SENT, SAID), awaited="u-1")
    assert (echoed, used.call, ended.result.text) == (Echoed("hello", "u-1"), "msg_2", "done")


def test_one_that_did_not_arrive_is_not_told_and_its_program_rests():
    assert settled(listed(SENT, SAID), awaited="u-2", counted=frozenset({"msg_2"}))[-1] == TurnEnded(None)


def test_a_turn_that_ended_meanwhile_ends_and_one_that_goes_on_goes_on():
    *_, ended = settled(listed(SENT, SAID), in_turn=True)
    assert ended.result.text == "done"
    assert settled(listed(SENT, running=True), in_turn=True)[-1] == TurnBegan()


def test_only_calls_that_may_be_new_are_told_again():
    messages = [{"info": answer(f"msg_{number}", whole=True), "parts": []} for number in (1, 2, 3)]
    old = {"info": {**answer("msg_0", whole=True), "time": {"created": 1, "completed": 2}}, "parts": []}
    calls = [one.call for one in settled(listed(old, *messages)) if isinstance(one, ModelCalled)]
    assert calls == ["msg_1", "msg_2", "msg_3"]
    again = settled(listed(*messages), counted=frozenset({"msg_2"}))
    assert [one.call for one in again if isinstance(one, ModelCalled)] == ["msg_2", "msg_3"]


def test_questions_that_are_gone_are_withdrawn_new_ones_asked_and_known_ones_left():
    question = {"id": "que_2", "questions": [CHOICE]}
    facts = settled(
        listed(running=True, permissions=[ASKED, {**ASKED, "id": "per_2"}], questions=[question]),
        in_turn=True,
        asked=frozenset({"per_1", "per_gone"}),
    )
    assert facts[1] == AskCancelled("per_gone")
    assert [getattr(one, "request", None) or one.found["id"] for one in facts[2:]] == ["per_2", "que_2"]


# opening


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"resume": False}, "/session"),
        ({"resume": True}, f"/session/{OURS}"),
        ({"resume": False, "fork": ForkPoint(OTHER)}, f"/session/{OTHER}/fork"),
        ({"resume": True, "session": "../x?y"}, "/session/-"),
    ],
)
def test_a_conversation_is_begun_gone_on_with_or_copied(more, path):
    talk = server(**more)
    (opening,) = talk.opening()
    assert opening.path == path
    assert talk.opened(200, {"id": OTHER}) == (SessionNamed(OTHER, begins=True), SessionReady())
    assert talk.show().body == {"sessionID": OTHER}


@pytest.mark.parametrize(
    ("more", "code", "reply", "reason", "retry"),
    [
        ({"resume": True}, 404, {"data": {"message": "Session not found"}}, "wrong_start", Retry.SWITCH),
        ({"resume": True}, 500, None, "no_conversation", Retry.POLICY),
        ({"resume": False}, 200, {"id": "\x1b["}, "no_conversation", Retry.POLICY),
        ({"resume": False, "fork": ForkPoint(OTHER)}, 404, [], "wrong_start", Retry.NEVER),
    ],
)
def test_a_conversation_that_is_not_there_is_said(more, code, reply, reason, retry):
    (fact,) = server(**more).opened(code, reply)
    assert isinstance(fact, NotOpened)
    assert (fact.result.reason, fact.result.retry) == (reason, retry)


def test_servers_of_tools_are_added_before_it_is_opened_and_one_that_is_wrong_is_said():
    config = (
        '{"mcpServers": {"till": {"command": "till", "args": ["-x"], "env": {"A": "b"}}, "net": {"url": "http://x"}}}'
    )
    till, net, _ = server(agent=Agent(mcp_config=(config,))).opening()
    local = {"type": "local", "command": ["till", "-x"], "environment": {"A": "b"}}
    assert till == ("/mcp", {"name": "till", "config": local})
    assert net == ("/mcp", {"name": "net", "config": {"type": "remote", "url": "http://x", "headers": {}}})
    talk = server(agent=Agent(mcp_config=("missing.json",)))
    with pytest.raises(ValueError, match="no such file") as wrong:
        talk.opening()
    assert talk.unreadable(wrong.value).result.reason == "mcp_config"


def test_its_screen_is_started_with_a_port_and_a_password_of_the_run():
    agent = Agent(home=AgentMode.INTERACTIVE, model="stub/small", permission_mode="read-only", arguments=("--pure",))
    start = LaunchRequest(AgentMode.INTERACTIVE, agent, OURS, resume=True, port=4242, password="secret")
    launch = Opencode().launch(start)
    assert launch.argv == ("opencode", "--port", "4242", "--model", "stub/small", "--agent", "plan", "--pure")
    assert launch.environment["OPENCODE_SERVER_PASSWORD"] == "secret"
    assert launch.environment["OPENCODE_SERVER_USERNAME"] == server().user
    assert json.loads(launch.environment["OPENCODE_PERMISSION"]) == {"bash": "ask", "edit": "deny", "webfetch": "ask"}
    talk = server(agent=agent)
    body = talk.message("hi", "u-1", ["notes"]).body
    assert body is not None
    assert (body["agent"], body["model"]) == ("plan", {"providerID": "stub", "modelID": "small"})
    assert [part.get("synthetic", False) for part in body["parts"]] == [True, False]


def test_the_screen_is_told_from_its_first_page():
    first, drawn, own_key = '  ┃  Ask anything… "Fix it"', "  tab agents  ctrl+p commands", "  ctrl+k commands"
    assert [server().is_shown(lines) for lines in ([], [first], [first, drawn], ["  ┃", drawn], [own_key])] == [
        None, None, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "typed"), [("start", ""), ("draft", "a draft"), ("permission", ""), ("choice", ""), ("interrupted", "")]
)
def test_a_draft_is_read_from_the_box_at_the_end_of_the_screen(step, typed):
    screens = json.loads((SCREENS / "prompts.json").read_text(encoding="utf-8"))
    (lines,) = [one["lines"] for one in screens if (one["program"], one["step"]) == ("opencode", step)]
    provider = Opencode()
    assert provider.draft(lines) == typed


# hostile

JUNK: tuple[Any, ...] = (None, True, -1, 1e308, 10**400, "", "\x00\ud800", "ses_" + "x" * 100, [], [[]], {}, {"a": []})


def spoiled(value: Any) -> Iterator[Any]:
    """The value with each of its parts taken away, and in turn replaced by what does not belong there."""
    yield from JUNK
    if isinstance(value, dict):
        for key in value:
            yield {name: one for name, one in value.items() if name != key}
            yield from ({**value, key: other} for other in spoiled(value[key]))
    elif isinstance(value, list):
        yield from ([other] for one in value for other in spoiled(one))


EVENTS = [
    *(json.loads(line.removeprefix(b"data: ")) for line in TURN),
    {"type": "permission.asked", "properties": ASKED},
    {"type": "permission.replied", "properties": {"requestID": "per_1"}},
    {"type": "question.asked", "properties": {"id": "que_1", "questions": [CHOICE]}},
    {"type": "session.error", "properties": {"sessionID": OURS, "error": {"name": "x", "data": {"statusCode": 401}}}},
    {"type": "session.status", "properties": {"sessionID": OURS, "status": {"type": "retry", "next": 1}}},
    {"type": "session.created", "properties": {"info": {"id": CHILD, "parentID": OURS}}},
]


@pytest.mark.parametrize("at", range(len(EVENTS)))
def test_no_event_harms_whatever_its_parts_are(at):
    for wrong in spoiled(EVENTS[at]):
        talk = server()
        heard(talk, *TURN[:4])
        for fact in heard(talk, b"data: " + json.dumps(wrong).encode()):
            if isinstance(fact, Lookup):
                for reply in (*JUNK, {"parts": [wrong]}):
                    talk.looked_up(fact, reply)
                assert fact.path.isascii()
                assert " " not in fact.path


def test_no_list_harms_whatever_it_holds():
    replies = listed(SENT, SAID, running=True, permissions=[ASKED], questions=[{"id": "que_1", "questions": [CHOICE]}])
    for number, reply in enumerate(replies):
        for wrong in spoiled(reply):
            settled([*replies[:number], wrong, *replies[number + 1 :]], awaited="u-1")
    settled([])
    settled([None, None, None, None])


@pytest.mark.parametrize(
    "line",
    [
        b"", b"data:", b"data: {", b"data: []", b"data: 7", b"event: x", b": comment", b"\xff\xfe", b"data: \x00",
        b'data: {"type":"message.updated"', b'data: {"type":"unknown","properties":{}}', b"data: " + b"[" * 100_000,
        b'data: {"type":"session.status","properties":{"sessionID":"ses_ours","status":{"type":"busy"}}' + b" " * 10**7,
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_tells_nothing(line):
    assert server().parse(line) == ()


def test_a_flood_of_names_is_forgotten_not_kept():
    talk = server()
    for number in range(5000):
        heard(
            talk,
            event("message.updated", info=user(f"msg_u{number}", OTHER)),
            event("message.updated", info=answer(f"msg_a{number}")),
            event("session.created", info={"id": f"ses_x{number}"}),
            event("message.part.updated", part={**tool("running"), "callID": f"c{number}"}),
        )
    assert max(map(len, (talk._people, talk._roots, talk._calls))) <= 1000
