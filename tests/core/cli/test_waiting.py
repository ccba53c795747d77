"""What a command that waits says meanwhile: whom or what it waits for, once, and when nothing can go on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli import waiting
from overmind_core.domain.engine_questions import EngineNeed, with_answer
from overmind_core.domain.plans.progress import NEXT_TRY
from overmind_core.domain.text.moment import format_time, parse_time
from overmind_core.errors import OvermindError
from tests.kit.cases import tabled

KEEPS = "overmind answer 3 deny (begin another attempt, which keeps both) or allow (land it all the same)"
NO_PLAN: dict[str, Any] = {"id": "a", "name": "plan", "agents": []}


class Asked:
    """A command whose daemon answers from a table."""

    def __init__(
        self, *ids, of_quests=False, keep_waiting=False, for_answer=None, of_spec="", shows_output=False, **answers
    ):
        self.answers = {
            "inbox": [], "ps": [], "plan": {"a": NO_PLAN}, "messages": [], "quests": [], "quest": {}, **answers
        }  # fmt: skip
        self.said: list[str] = []
        self.asked: list[str] = []
        context: Any = SimpleNamespace(client=lambda **_: self, note=self.said.append)
        self.teller = waiting.WaitTeller(
            context,
            lambda: ids,
            of_quests=of_quests,
            keep_waiting=keep_waiting,
            for_answer=for_answer,
            of_spec=of_spec,
            shows_output=lambda: shows_output,
        )

    def call(self, command, args=None):
        self.asked.append(command)
        answer = self.answers[command]
        if isinstance(answer, Exception):
            raise answer
        if command == "ps":
            if args["ids"][0].endswith("/verify"):
                return [one for one in answer if one["name"] in args["ids"]]
            children = {one["id"]: [row["id"] for row in answer if row["parent"] == one["id"]] for one in answer}
            return [{**row, "children": children[row["id"]]} for row in answer if row["id"] in args["ids"]]
        return answer[args["id"]] if command in {"quest_why", "quest", "plan"} else answer

    def later(self):
        """Let it have waited for longer than nothing is said of what simply goes on."""
        self.teller._began -= waiting.PAUSE
        return self

    def look(self, *, soon=False):
        if not soon:
            self.teller._next_look = 0.0
        hopeless = self.teller.is_hopeless()
        said, self.said[:] = list(self.said), []
        return said, hopeless


def row(id_, **more):
    return {
        "id": id_,
        "name": f"m-{id_}",
        "parent": None,
        "status": "running",
        "type": "task",
        "activity": None,
        **more,
    }


def question(id_, number=3, need="permission", **more):
    return {"question": number, "id": id_, "name": f"m-{id_}", "need": need, "options": [], "attach_only": False,
            "rule": None, **more}  # fmt: skip


def why(id_, code="needs", status="queued", text="waits for x (running)", do=(), by=()):
    return {"id": id_, "name": f"q-{id_}", "status": status, "code": code, "text": text, "do": list(do),
            "by": [{"id": one, "status": how} for one, how in by]}  # fmt: skip


@tabled(
    ("rows", "line"),
    [
        ([row("a")], None),
        ([row("a", status="paused")], "waits for you: m-a is frozen: overmind thaw m-a"),
        ([row("a", reason="disk_full")], "waits: m-a stands still: the disk is full: overmind doctor"),
        ([row("a", reason="log_error")], "waits: m-a stands still: its log can't be written: overmind doctor"),
        ([row("a", activity="limited")], "waits: the account of m-a has reached a limit: overmind inbox"),
        ([row("a", type="session", activity="idle")],
         "waits for you: m-a waits for a message: overmind send m-a 'TEXT'"),
        ([row("a", type="session", activity="idle", failed_message="message 1 failed")],
         "waits for you: message 1 failed: overmind send m-a 'TEXT'"),
        ([row("a"), row("b", parent="a", status="paused")], "waits for you: m-b is frozen: overmind thaw m-b"),
        ([row("a"), row("b", parent="a", type="session", activity="idle")], None),
        ([row("a"), row("b", status="paused")], None),
    ],
)  # fmt: skip
def test_what_holds_up_a_mission_or_what_it_has_started_is_said(rows, line):
    assert Asked("a", ps=rows).look() == ([] if line is None else [line], False)


@tabled(
    ("asked", "line"),
    [
        (question("a"), "question 3 (permission of m-a): overmind answer 3 allow"),
        (question("b"), "question 3 (permission of m-b): overmind answer 3 allow"),
        (question("a", need="question"), "question 3 (question of m-a): overmind answer 3 'TEXT'"),
        (question("a", need="question", options=["x", "y"]), "question 3 (question of m-a): overmind answer 3 1"),
        (question("a", attach_only=True), "question 3 (permission of m-a): overmind attach a"),
        (question("x", need="stuck", about={"kind": "quest", "id": "x", "name": "m-a/check"}),
         "question 3 (stuck of m-a/check): overmind answer 3 allow"),
        (question("x", need="merge", about={"kind": "quest", "id": "a", "name": "bye"}, part="", name="bye",
                  summary="bye can't land", subject={"code": "undoes_landed", "problem": "a.txt would lose 1 line"}),
         f"question 3 (merge of bye): a.txt would lose 1 line: {KEEPS}"),
        (question("a", need="report", part="", summary="it needs x", subject={"unassigned": True}),
         "question 3 (report of m-a): overmind answer 3 claude"),
        (question("z"), None),
    ],
)  # fmt: skip
def test_a_question_of_its_tree_is_said_with_the_line_that_answers_it(asked, line):
    said, _ = Asked("a", ps=[row("a"), row("b", parent="a")], inbox=[asked]).look()
    assert said == ([] if line is None else [f"waits for you: {line}"])


@pytest.mark.parametrize("status", ["queued", "running", "review"])
@pytest.mark.parametrize("need", list(EngineNeed))
def test_whatever_is_asked_about_a_quest_is_said_to_those_who_wait_for_it(status, need):
    asked = question("a", need=need, part="", summary="?", subject={}, about={"kind": "quest", "id": "a", "name": "q"})
    working = why("a", code=None, status=status, text="working, attempt 1 of 3")
    (said,), _ = Asked("a", of_quests=True, quest_why={"a": working}, inbox=[asked]).look()
    assert said == f"waits for you: {with_answer(asked)}"


def test_it_is_said_once_and_again_when_it_changes():
    asked = Asked("a", ps=[row("a")], inbox=[question("a")])
    first, again = asked.look()[0], asked.look()[0]
    asked.answers["inbox"] = []
    nothing = asked.look()[0]
    asked.answers["inbox"] = [question("a", 4)]
    assert [len(first), again, nothing] == [1, [], []]
    assert asked.look()[0] == ["waits for you: question 4 (permission of m-a): overmind answer 4 allow"]
    asked.answers["inbox"] = OvermindError("daemon_lost")
    assert asked.look() == ([], False), "the stream of the ends says that the daemon was lost"


def test_where_nothing_is_new_the_next_look_comes_later_and_strangers_are_not_asked_about():
    asked = Asked("a", ps=[row("a"), row("b", parent="a"), *(row(f"x{number}") for number in range(3))])
    asked.later().look()
    assert asked.asked == ["ps", "ps", "inbox"], "a generation at a time"
    asked.look()
    asked.asked.clear()
    asked.look(soon=True)
    assert asked.asked == []
    asked.answers["inbox"] = [question("a")]
    assert len(asked.look()[0]) == 1
    assert asked.look(soon=True) == ([], False)
    assert len(asked.asked) == 6, "behind news it is looked again at once"


BLOCKED = why("a", "blocked", text="needs x (failed: its check failed)", do=["overmind quest retry x"])


@tabled(
    ("answer", "line"),
    [
        (why("a"), "waits: q-a is queued: waits for x (running)"),
        (why("a", do=["overmind quest why x"]), "waits: q-a is queued: waits for x (running): overmind quest why x"),
        (why("a", "held", text="the queue is paused", do=["overmind queue resume"]),
         "waits for you: q-a is queued: the queue is paused: overmind queue resume"),
        (BLOCKED, "waits for you: q-a can't start: needs x (failed: its check failed): overmind quest retry x"),
        (why("a", None, "running", "working"), None),
        (why("a", None, "running", "it lands once a is committed.", ["git -C x stash"]),
         "waits for you: q-a is running: it lands once a is committed. Go on with: git -C x stash"),
        (why("a", "until", text="attempt 1 failed: x.", do=["overmind quest info a"]),
         "waits: q-a is queued: attempt 1 failed: x. See: overmind quest info a"),
        (why("a", None, "running", "finish it with: git rebase --abort", ["git rebase --abort"]),
         "waits for you: q-a is running: finish it with: git rebase --abort"),
    ],
)  # fmt: skip
def test_a_quest_says_why_it_does_not_start_and_the_command_where_a_person_has_to(answer, line):
    said, hopeless = Asked("a", of_quests=True, quest_why={"a": answer}).look()
    assert (said, hopeless) == ([] if line is None else [line], answer is BLOCKED)


def test_a_change_of_the_settings_that_hold_a_quest_is_said_when_it_is_made():
    spent = why("a", "budget", text="$2.00 of $1.00 of today are spent", do=["overmind answer 3 allow"])
    asked = Asked("a", of_quests=True, quest_why={"a": spent})
    first = "waits for you: q-a is queued: $2.00 of $1.00 of today are spent: overmind answer 3 allow"
    assert asked.look()[0] == [first]
    asked.answers["quest_why"] = {"a": {**spent, "pending_settings": "config.toml was changed"}}
    assert asked.look()[0] == [f"{first}. config.toml was changed"]
    assert asked.look()[0] == []


def needs(*by):
    return why("a", by=by)


@tabled(
    ("others", "answers", "lines"),
    [
        ({"a": needs(("x", "review")), "x": why("x", None, "review", "a person decides")},
         {"inbox": [question("x", need="review")]},
         ["waits for you: question 3 (review of m-x): overmind answer 3 allow or deny"]),
        ({"a": needs(("b", "queued")), "b": why("b", by=[("x", "running")]), "x": why("x", None, "running", "working")},
         {"inbox": [question("c")], "ps": [row("x"), row("c", parent="x")]},
         ["waits: q-b is queued: waits for x (running)",
          "waits for you: question 3 (permission of m-c): overmind answer 3 allow"]),
        ({"a": needs(("x", "running")), "x": why("x", None, "running", "working")},
         {"ps": [row("x", status="paused")]},
         ["waits for you: m-x is frozen: overmind thaw m-x"]),
        ({"a": needs(("x", "failed"))}, {}, []),
        ({"a": needs(("a", "queued"))}, {}, []),
    ],
)  # fmt: skip
def test_what_holds_up_those_that_it_needs_is_said_at_any_depth(others, answers, lines):
    said, hopeless = Asked("a", of_quests=True, quest_why=others, **answers).look()
    assert (said[1:], hopeless) == (lines, False)
    assert said[0] == "waits: q-a is queued: waits for x (running)"


def test_what_holds_up_the_mission_of_a_quest_is_said():
    working = {"a": why("a", None, "running", "working")}
    asked = Asked("a", of_quests=True, quest_why=working, ps=[row("a", status="paused")])
    assert asked.look() == (["waits for you: m-a is frozen: overmind thaw m-a"], False)


def test_the_place_in_line_is_not_said_each_time_it_changes():
    asked = Asked("a", of_quests=True, quest_why={"a": why("a", "slots", text="2nd in line")})
    assert len(asked.look()[0]) == 1
    asked.answers["quest_why"] = {"a": why("a", "slots", text="1st in line")}
    assert asked.look()[0] == []


def test_nothing_goes_on_only_where_none_can_and_nobody_wants_to_wait_on():
    answers = {"a": BLOCKED, "b": why("b")}
    assert not Asked("a", "b", of_quests=True, quest_why=answers).look()[1]
    assert Asked("a", of_quests=True, quest_why=answers).look()[1]
    assert not Asked("a", of_quests=True, keep_waiting=True, quest_why=answers).look()[1]


def test_of_thousands_the_first_are_told_and_one_that_can_go_on_ends_the_look():
    names = [f"q{number}" for number in range(1000)]
    blocked = {name: {**BLOCKED, "id": name} for name in names}
    asked = Asked(*names, of_quests=True, quest_why=blocked)
    said, hopeless = asked.look()
    assert (len(said), hopeless, len(asked.asked)) == (waiting.MOST_SAID, True, 1001)
    asked = Asked(*names, of_quests=True, quest_why={**blocked, "q25": why("q25")})
    assert not asked.look()[1]
    assert len(asked.asked) == 1 + 26


def test_a_review_is_said_as_the_question_that_it_is():
    asked = question("a", need="review", about={"kind": "quest", "id": "a", "name": "q-a"})
    said, _ = Asked("a", of_quests=True, inbox=[asked], quest_why={"a": why("a", None, "review")}).look()
    assert said == ["waits for you: question 3 (review of q-a): overmind answer 3 allow or deny"]


@tabled(
    ("info", "line"),
    [
        ({"status": "restarting", "next_restart_at": "2027-01-15T08:00:07.5Z"}, "ended and starts again in 8 s"),
        (
            {"status": "restarting", "next_restart_at": None, "reason": "stalled", "limit_seconds": 3.0},
            "timed out (it was silent for 3 seconds) and starts again now",
        ),
        ({"status": "restarting", "next_restart_at": None, "exit_code": 3}, "failed (3) and starts again now"),
        ({"status": "restarting", "next_restart_at": "2027-01-15T07:59:59Z"}, "ended and starts again now"),
        ({"status": "restarting", "next_restart_at": None}, "ended and starts again now"),
        ({"status": "running", "next_restart_at": None}, None),
    ],
)
def test_it_is_said_in_how_many_seconds_a_mission_starts_again(info, line):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: parse_time("2027-01-15T08:00:00Z", 0.0))
        asked = Asked("a", ps=[row("a", status="restarting")], info=info)
        assert asked.look()[0] == ([] if line is None else [f"waits: m-a has {line}: overmind logs m-a"])
        assert asked.look()[0] == []


START = "2027-01-15T08:00:00Z"


def restarting(run, seconds):
    """The row of a mission that waits for its restart after this run, and its details."""
    found = row("a", status="restarting", run=run)
    due = format_time(parse_time(START, 0.0) + seconds)
    runs = [{"ended_at": START}]
    return found, {"status": "restarting", "next_restart_at": due, "exit_code": 3, "runs": runs}


@tabled(
    ("waits", "lines"),
    [
        ((1, 4, 8), ["in 1 s", "in 4 s", "in 8 s"]),
        ((1, 2, 8), ["in 1 s", None, "in 8 s"]),
        ((0.5, 1, 1, 1), ["in 1 s", None, None, None]),
        ((30, 30), ["in 30 s", "in 30 s"]),
    ],
)
def test_each_longer_wait_for_a_restart_is_said_once_though_no_look_sees_it_run(waits, lines):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: parse_time(START, 0.0))
        asked, said = Asked("a"), []
        for run, seconds in enumerate(waits, 1):
            one, asked.answers["info"] = restarting(run, seconds)
            asked.answers["ps"] = [one]
            said.append(asked.look()[0])
            assert asked.look()[0] == []
    expected = "waits: m-a has failed (3) and starts again {}: overmind logs m-a"
    assert said == [[] if line is None else [expected.format(line)] for line in lines]


def test_a_wait_for_a_restart_that_has_nearly_ended_is_not_said_again():
    with pytest.MonkeyPatch.context() as patch:
        asked = Asked("a")
        one, asked.answers["info"] = restarting(2, 4)
        asked.answers["ps"] = [one]
        for seconds, count in ((0, 1), (2.5, 0), (3.9, 0)):
            patch.setattr("time.time", lambda now=seconds: parse_time(START, 0.0) + now)
            assert len(asked.look()[0]) == count
    assert asked.asked.count("info") == 1


def test_each_pause_before_another_attempt_of_a_quest_is_said():
    asked = Asked("a", of_quests=True)
    for moment, attempt in (("08:00:04", 2), ("08:00:12", 3)):
        text = f"not before {moment} (attempt {attempt} of 3)"
        asked.answers["quest_why"] = {"a": {**why("a", code="until", text=text), "next_at": f"2027-01-15T{moment}Z"}}
        assert asked.look()[0] == [f"waits: q-a is queued: {text}"]
        assert asked.look()[0] == []


def agent(name, stage="running", *needs, ready=None, stays=False, seconds=60.0, until="success", waits_for=None):
    depends_on = [{"agent": one, "until": until} for one in needs]
    return {"name": name, "stage": stage, "ready": ready, "stays": stays, "attempt": 1, "seconds": seconds,
            "depends_on": depends_on, "waits_for": waits_for, "post": None}  # fmt: skip


def posted(name, state="queued"):
    post = {"id": f"1a2b{name}", "state": state, "hive": None, "ending": False}
    return {**agent(name, "starting", seconds=None), "post": post}


ADVICE = (
    "If web is a server, it has no end of its own: give it ready = { tcp = PORT }, and test "
    'depends_on = [{ agent = "web", until = "ready" }]. Then apply the file again, and the plan goes on.'
)


SLOT = "a free slot: 1 run at a time"


@pytest.mark.parametrize(
    ("agents", "lines"),
    [
        ([agent("server", ready=True), agent("test", "succeeded")],
         ["waits for server: it runs; if it has no end of its own: service = true ends it with the plan"]),
        ([agent("build"), agent("db", stays=True)], ["waits for build: it runs: overmind logs plan/build"]),
        ([agent("build"), agent("test", "waiting")], []),
        ([agent("web"), agent("test", "waiting", "web")],
         ["test waits for the end of web, which runs: overmind logs plan/web", ADVICE]),
        ([agent("web"), *(agent(name, "waiting", "web") for name in ("test", "a", "b", "c"))],
         ["test, a, b and others wait for the end of web, which runs: overmind logs plan/web", ADVICE]),
        ([agent("db", ready=False, stays=True), agent("test", "waiting", "db", until="ready")],
         ["test waits until db is ready, which it is not yet: overmind logs plan/db"]),
        ([agent("db", ready=True, stays=True), agent("web", seconds=60.0), agent("x", "waiting", "db", until="ready")],
         []),
        ([agent("db", stays=True)], []),
        ([agent("a"), agent("b", "waiting", waits_for=SLOT), agent("c", "waiting", waits_for=SLOT)],
         ["b, c wait for a free slot: 1 run at a time: overmind logs plan/a"]),
        ([posted("train"), agent("test", "waiting", "train")],
         ["waits for train: it waits in the swarm: overmind why swarm/1a2btrain"]),
        ([agent("build"), posted("a", None), posted("b")],
         ["waits for a, b: they wait in the swarm: overmind why swarm/1a2bb"]),
        ([posted("train", "behind")], ["waits for train: it waits in the swarm: overmind why plan"]),
    ],
)  # fmt: skip
def test_a_plan_whose_last_agents_run_on_says_for_which_it_waits_after_a_while(monkeypatch, agents, lines):
    asked = Asked("a", ps=[row("a", type="blueprint")], plan={"a": {"id": "a", "name": "plan", "agents": agents}})
    at_once = [line for line in lines if "is ready, which it is not yet" in line]
    assert asked.look()[0] == at_once
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    assert asked.look()[0] == [line for line in lines if line not in at_once]
    assert asked.look()[0] == []


@tabled(
    ("agents", "is_said"),
    [
        ([agent("web", stays=True, seconds=2.0)], True),
        ([agent("web", ready=True, stays=True), agent("api", stays=True), agent("db", "failed", stays=True)], True),
        ([agent("web", ready=False, stays=True), agent("api", stays=True)], False),
        ([agent("web", "starting", stays=True), agent("api", stays=True)], False),
        ([agent("web", stays=True), agent("test")], False),
        ([agent("web", stays=True), agent("test", "succeeded")], False),
        ([agent("web", "succeeded", stays=True)], False),
    ],
)
def test_of_a_plan_of_services_alone_it_is_said_once_how_it_ends(agents, is_said):
    plan: dict[str, Any] = {"id": "a", "name": "plan", "agents": agents}
    rows = [row("a", type="blueprint"), row("b"), row("c", parent="a")]
    line = "only services run; end it with: overmind stop plan"
    shown = Asked("a", ps=rows, plan={"a": plan}, shows_output=True)
    assert [shown.look()[0], shown.later().look()[0], shown.look()[0]] == [[], [line] if is_said else [], []]
    said = Asked("a", "b", ps=rows, plan={"a": plan}).later().look()[0]
    assert (line in said, "waits for m-b: running" in said) == (is_said, True)
    shown.answers["ps"][2]["status"] = "paused"
    assert shown.look()[0] == ["waits for you: m-c is frozen: overmind thaw m-c"]
    shown.answers["ps"][2]["status"] = "running"
    assert shown.look()[0] == []
    assert (line in waiting.plan_waits(plan)) is is_said


def test_the_pause_before_the_next_try_of_an_agent_is_said_at_once_and_each_time(monkeypatch):
    failed = {**agent("a", "waiting", waits_for=NEXT_TRY), "next_try_at": "2026-01-01T00:00:12Z"}
    monkeypatch.setattr("overmind_core.cli.waiting.time.time", lambda: parse_time("2026-01-01T00:00:00Z", 0.0))
    plan: dict[str, Any] = {"id": "a", "name": "plan", "agents": [failed, agent("b", "waiting", "a", waits_for="a")]}
    asked = Asked("a", ps=[row("a", type="blueprint")], plan={"a": plan})
    line = "waits: plan/a has failed; next try in 12 s: overmind logs plan/a"
    assert [asked.look()[0], asked.look()[0]] == [[line], []]
    plan["agents"] = [{**failed, "attempt": 2}]
    assert asked.look()[0] == [line]


def test_of_a_chain_of_agents_each_need_is_said_and_the_advice_once(monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 5.0)
    plan: dict[str, Any] = {"id": "a", "name": "plan", "agents": [agent("web"), agent("test", "waiting", "web")]}
    asked = Asked("a", ps=[row("a", type="blueprint")], plan={"a": plan}, shows_output=True)
    asked.teller._began -= 10.0
    assert len(asked.look()[0]) == 2
    plan["agents"] = [agent("web", "succeeded"), agent("test", seconds=1.0), agent("last", "waiting", "test")]
    assert asked.look()[0] == [], "it has only begun"
    plan["agents"] = [agent("web", "succeeded"), agent("test"), agent("last", "waiting", "test")]
    assert asked.look()[0] == ["last waits for the end of test, which runs: overmind logs plan/test"]


@pytest.mark.parametrize("code", ["not_found", "daemon_lost"])
def test_a_look_that_fails_ends_nothing(code):
    assert Asked("a", ps=OvermindError(code)).look() == ([], False)


@tabled("why", [
    ("a question", {"inbox": [question("a")], "ps": [row("a", type="session", activity="waiting")]}),
    ("frozen", {"ps": [row("a", type="session", status="paused", activity="idle")]}),
])  # fmt: skip
def test_nothing_is_answered_while_a_person_is_waited_for(why):
    _, answers = why
    said, hopeless = Asked("a", for_answer=7, **answers).look()
    assert [one.partition(":")[0] for one in said] == ["waits for you"]
    assert hopeless
    assert not Asked("a", for_answer=7, keep_waiting=True, **answers).look()[1]
    assert not Asked("a", **answers).look()[1], "its end may come without an answer"


@tabled("why", [
    ("a question", {"inbox": [question("b")], "ps": [row("a"), row("b", parent="a")]}),
    ("frozen", {"ps": [row("a"), row("b", parent="a", status="paused")]}),
])  # fmt: skip
def test_an_answer_may_come_while_what_its_agent_has_started_waits_for_a_person(why):
    _, answers = why
    said, hopeless = Asked("a", for_answer=7, **answers).look()
    assert [one.partition(":")[0] for one in said] == ["waits for you"]
    assert not hopeless


def test_a_session_that_is_to_answer_is_not_said_to_wait_for_a_message():
    asked = Asked("a", for_answer=7, ps=[row("a", type="session", activity="idle")])
    assert asked.look() == ([], False)


@tabled(
    ("messages", "line"),
    [
        ([{"message": 7, "state": "queued"}], "waits: m-a is busy with its turn: overmind logs -f m-a"),
        ([{"message": 5, "state": "answered"}, {"message": 6, "state": "delivered"}, {"message": 7, "state": "queued"}],
         "waits: m-a is busy with 1 message before this one: overmind logs -f m-a"),
        ([{"message": 7, "state": "delivered"}], None),
    ],
)  # fmt: skip
def test_a_message_that_has_not_reached_its_agent_says_what_is_before_it(messages, line):
    asked = Asked("a", for_answer=7, ps=[row("a", type="session", activity="working")], messages=messages)
    assert asked.look() == ([] if line is None else [line], False)
    assert asked.look()[0] == []


@tabled(
    ("quests", "answers", "line"),
    [
        ([("x", "queued"), ("y", "queued")], {"quest_why": {"x": why("x", "slots", text="1 of 1 slots are taken")}},
         "waits: q-x is queued: 1 of 1 slots are taken"),
        ([("x", "queued"), ("y", "queued")], {"quest_why": {"x": why("x"), "y": why("y", "until", text="not yet")}},
         "waits: q-y is queued: not yet"),
        ([("x", "queued")], {"quest_why": {"x": why("x", "held", text="the queue is paused")}}, None),
        ([("x", "queued"), ("y", "running")], {"ps": [row("y")]}, None),
        ([("y", "running")], {"ps": [row("y", status="paused")]},
         "waits for you: m-y is frozen: overmind thaw m-y"),
    ],
)  # fmt: skip
def test_of_a_spec_what_is_in_the_way_of_its_quests_is_said(quests, answers, line):
    rows = [{"id": id_, "status": status} for id_, status in quests]
    asked = Asked("5bec", of_spec="carts", quests=rows, **answers)
    assert asked.look() == ([] if line is None else [line], False)


def test_of_a_spec_all_that_is_asked_about_it_is_said():
    about = {"kind": "spec", "id": "5bec", "name": "carts"}
    gate = {**question("5bec", 4, "phase"), "name": "carts", "about": about, "part": "tasks", "subject": {}}
    agent = {**question("a", 5), "name": "carts/design"}
    other = {**question("b", 6), "name": "cartsy/design"}
    asked = Asked("5bec", of_spec="carts", inbox=[gate, agent, other])
    assert asked.look() == (
        [
            "waits for you: question 4 (gate of carts/tasks): overmind answer 4 allow",
            "waits for you: question 5 (permission of carts/design): overmind answer 5 allow",
        ],
        False,
    )


@tabled(
    ("statuses", "is_said"),
    [([], False), (["running"], False), (["queued"], False), (["running", "queued"], True)],
)
def test_of_a_spec_what_is_spent_is_said_here_only_while_one_runs_and_another_waits(statuses, is_said):
    about = {"kind": "spec", "id": "5bec", "name": "carts"}
    spent = {**question("5bec", 4, "budget"), "about": about, "part": None, "subject": {}, "summary": "$2 are spent"}
    rows = [{"id": status, "status": status} for status in statuses]
    asked = Asked("5bec", of_spec="carts", inbox=[spent], quests=rows, quest_why={"queued": why("queued", "budget")})
    (lines, _) = asked.look()
    assert [line.partition(":")[0] for line in lines] == ["waits for you"] * is_said, lines


def at_work(id_, phase="work", **more):
    return {"id": id_, "name": f"q-{id_}", "status": "running", "phase": phase, "attempts": 1, "retries": 2, "tries": 1,
            "into": None, **more}  # fmt: skip


VERIFY = row("v", name="q-a/verify")
PHASES = [
    (at_work("a"), [], "working, attempt 1 of 3"),
    (at_work("a", attempts=4, tries=2), [], "working, attempt 4 of 5, of which 2 do not count"),
    (at_work("a", retries=0, tries=None), [], "working"),
    (at_work("a", "check"), [], "checking"),
    (at_work("a", "reviewing"), [], "reviewing"),
    (at_work("a", "landing", into="main"), [], "landing on main"),
    (at_work("a", "landing", into="main"), [{**VERIFY, "status": "stopped"}], "landing on main"),
    (at_work("a", "landing", into="main"), [VERIFY], "landing on main: verify runs"),
]


@tabled(("quest", "ps", "doing"), PHASES)
def test_what_is_done_for_a_quest_is_said_once_it_has_been_waited_for_a_moment(quest, ps, doing):
    goes_on = {"a": why("a", None, "running", "working, attempt 1 of 3")}
    asked = Asked("a", of_quests=True, quest_why=goes_on, quest={"a": quest}, ps=ps)
    assert asked.look() == ([], False), "a short wait says nothing"
    assert asked.later().look() == ([f"waits for q-a: {doing}"], False)
    assert asked.look()[0] == [], "it is not said again"


def test_the_second_look_says_what_goes_on():
    asked = Asked("a", ps=[row("a")])
    assert asked.look()[0] == []
    assert asked.later().look(soon=True)[0] == ["waits for m-a: running"]


def test_each_phase_of_a_quest_is_said_as_it_begins():
    going = {"a": why("a", None, "running", "working")}
    asked = Asked("a", of_quests=True, quest_why=going, quest={"a": at_work("a")}).later()
    said = asked.look()[0]
    for changed in (at_work("a"), at_work("a", "check"), at_work("a", "landing", into="main")):
        asked.answers["quest"]["a"] = changed
        said += asked.look()[0]
    asked.answers["ps"] = [VERIFY]
    said += asked.look()[0]
    asked.answers["quest_why"] = {"a": why("a", "until", text="not before 12:00:02 (attempt 2 of 3)")}
    said += asked.look()[0]
    assert said == [
        "waits for q-a: working, attempt 1 of 3",
        "waits for q-a: checking",
        "waits for q-a: landing on main",
        "waits for q-a: landing on main: verify runs",
        "waits: q-a is queued: not before 12:00:02 (attempt 2 of 3)",
    ]


def test_what_goes_on_is_not_said_beside_what_a_person_has_to_do():
    going = {"a": why("a", None, "running", "working")}
    asked = Asked("a", of_quests=True, quest_why=going, quest={"a": at_work("a")}, inbox=[question("a")]).later()
    assert [one.partition(":")[0] for one in asked.look()[0]] == ["waits for you"]
    asked.answers["inbox"] = []
    assert asked.look()[0] == ["waits for q-a: working, attempt 1 of 3"], "it was answered"


def test_of_many_that_go_on_one_line_is_said_and_their_ends_don_t_repeat_it():
    names = [f"q{number}" for number in range(10)]
    going = {name: why(name, None, "running", "working") for name in names}
    asked = Asked(*names, of_quests=True, quest_why=going, quest={name: at_work(name) for name in names}).later()
    assert asked.look()[0] == ["waits for q-q0, q-q1, q-q2 and others"]
    going["q0"] = why("q0", None, "completed", "")
    assert asked.look()[0] == []
    assert Asked(*"ab", ps=[row("a"), row("b")]).later().look()[0] == [
        "waits for m-a: running", "waits for m-b: running",
    ]  # fmt: skip


@tabled(
    ("one", "line"),
    [
        (row("a", type="session", activity="working"), "waits for m-a: working"),
        (row("a", activity="unknown", status="stopping"), "waits for m-a: stopping"),
        (row("you", name="you"), "waits for you: running"),
    ],
)
def test_what_a_mission_does_is_said(one, line):
    assert Asked(one["id"], ps=[one]).later().look() == ([line], False)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "queued", "review"])
def test_a_quest_that_stands_otherwise_since_the_first_question_is_not_said_to_go_on(status):
    """Between two questions to the daemon: the next look says how it stands, or its end comes."""
    changed = at_work("a", status=status, phase=None)
    going = {"a": why("a", None, "running", "working")}
    assert Asked("a", of_quests=True, quest_why=going, quest={"a": changed}).later().look() == ([], False)


@pytest.mark.parametrize("status", ["stopped", "crashed", "killed"])
def test_a_mission_that_has_ended_is_not_said_to_go_on(status):
    assert Asked("a", ps=[row("a", status=status)]).later().look()[0] == []


def test_an_agent_that_is_to_answer_is_said_to_work_and_one_that_is_about_to_is_not():
    working = row("you", name="you", type="session", activity="working")
    messages = [{"message": 7, "state": "delivered"}]
    asked = Asked("you", for_answer=7, ps=[working], messages=messages).later()
    assert asked.look() == (["waits for you: working"], False), "no person is waited for"
    asked.answers["ps"] = [{**working, "activity": "idle"}]
    assert asked.look() == ([], False)


def test_which_agents_of_a_plan_run_is_said_until_more_is_known_of_them(monkeypatch):
    plan: dict[str, Any] = {"id": "a", "name": "plan", "agents": [agent("web", seconds=1.0), agent("db", seconds=1.0)]}
    asked = Asked("a", ps=[row("a", type="blueprint")], plan={"a": plan}).later()
    assert [asked.look()[0], asked.look()[0]] == [["waits for plan: web, db run"], []]
    plan["agents"] = [agent("web", seconds=1.0), agent("test", "waiting", "web")]
    assert asked.look()[0] == ["waits for plan: web runs"]
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    assert asked.look()[0] == ["test waits for the end of web, which runs: overmind logs plan/web", ADVICE]


@tabled(
    ("agents", "doing"),
    [
        ([posted("train")], "train waits in the swarm"),
        ([posted("train"), posted("eval", "claimed")], "train, eval wait in the swarm"),
        ([posted("train"), agent("web", seconds=1.0)], "web runs"),
        ([{**posted("train"), "stage": "running"}], "train runs"),
    ],
)
def test_an_agent_that_waits_in_the_swarm_is_not_said_to_run(agents, doing):
    asked = Asked("a", ps=[row("a", type="blueprint")], plan={"a": {"id": "a", "name": "plan", "agents": agents}})
    assert asked.later().look()[0] == [f"waits for plan: {doing}"]


def test_agents_that_wait_in_the_swarm_are_said_once_though_they_begin_one_after_the_other(monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    plan: dict[str, Any] = {"id": "a", "name": "plan", "agents": [posted("a"), posted("b")]}
    asked = Asked("a", ps=[row("a", type="blueprint")], plan={"a": plan}, shows_output=True)
    assert asked.look()[0] == ["waits for a, b: they wait in the swarm: overmind why swarm/1a2ba"]
    plan["agents"] = [{**posted("a"), "stage": "running"}, posted("b")]
    assert asked.look()[0] == []


def test_of_a_spec_what_is_done_for_it_is_said():
    asked = Asked("5bec", of_spec="carts", quests=[at_work("x"), {"id": "y", "status": "queued"}], ps=[row("x")])
    assert asked.look()[0] == []
    assert asked.later().look()[0] == ["waits for q-x: working, attempt 1 of 3"]
    assert asked.look()[0] == []


def test_what_is_seen_to_go_on_is_not_said():
    assert Asked("a", ps=[row("a")], shows_output=True).later().look() == ([], False)
