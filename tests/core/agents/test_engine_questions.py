"""What the engine asks: once for each subject, need and key; answered once, in one commit with what follows from it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import contextmanager

import pytest

from overmind_core.agents import engine_questions
from overmind_core.agents.store import QUESTION_OPEN, QuestionRow
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import THE_QUEUE, About, AboutKind
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import DiskFull
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, world

QUEST = About(AboutKind.QUEST, "q1", "login/TSK-004")
MISSION = About(AboutKind.MISSION, "m1", "api")
"""Of no feature that would look after it at a start."""
SPEC = About(AboutKind.SPEC, "s1", "login")


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


def told(home, *scenes):
    """Play each scene with a supervisor of its own, one after the other; the next finds what a crash leaves."""

    async def story():
        keeper = ScriptedKeeper(home)
        results = []
        for scene in scenes:
            async with supervising(home, keeper) as inside:
                results.append(await scene(inside))
        keeper.close()
        return results

    return in_process.run(story())


def unhandled(inside):
    """The engine's questions, where no feature acts on any answer: the test does."""
    engine = inside.app.engine_questions
    engine._handlers.clear()
    return engine


class Acting:
    """Acts on answers by a fact of the home: `refuses` what it is told to."""

    def __init__(self, inside, *needs):
        self.inside = inside
        self.engine = unhandled(inside)
        self.acted = []
        self.refuses = None
        for need in needs or EngineNeed:
            self.engine.on(need, self.act)

    def act(self, question, decision):
        if self.refuses is not None:
            raise OvermindError("invalid", self.refuses)
        journal, meta = self.inside.app.journal, self.inside.app.state.meta
        with journal.together():
            self.acted.append((question.number, question.need, decision.behaviour.value, decision.message))
        journal.flush()  # as whoever reads the store does; nothing is committed yet
        text = json.dumps(self.acted)
        journal.save(lambda: meta.save("acted", text))

    def stuck(self, summary="it has failed", about=QUEST, **more):
        return self.engine.ask(EngineNeed.STUCK, about, summary=summary, **more)


def kept(home):
    """State, by and decision of each question, and what was acted on, as a process that comes later finds it."""
    with sqlite3.connect(home.database) as database:
        rows = database.execute("SELECT id, state, by FROM questions ORDER BY id").fetchall()
        acted = database.execute("SELECT value FROM meta WHERE key = 'acted'").fetchone()
    return rows, None if acted is None else json.loads(acted[0])


async def saved(inside):
    await inside.app.journal.saved()


async def refusal(work):
    with pytest.raises(OvermindError) as caught:
        await work
    return caught.value


# --- asking ---------------------------------------------------------------------------------------------------------


def test_any_engine_question_is_in_the_inbox_and_in_the_log(home):
    """36: in `inbox` at once, oldest first, beside those of agents."""

    async def scene(inside):
        acting = Acting(inside)
        one = acting.stuck("TSK-004 has failed\nits check did", subject={"lines": ["no test passes"], "class": "exit"})
        two = acting.engine.ask(EngineNeed.PHASE, SPEC, summary="tasks has passed", part="tasks")
        rows = await inside.ask("inbox")
        return one, two, rows, inside.events(QUEST.id), inside.events(SPEC.id)

    [(one, two, rows, of_quest, of_spec)] = told(home, scene)
    assert (one, two) == (1, 2)
    assert rows[0] == {
        "question": 1, "id": "q1", "name": "login/TSK-004",
        "about": {"kind": "quest", "id": "q1", "name": "login/TSK-004"}, "part": "", "quests": [], "need": "stuck",
        "tool": "", "summary": "TSK-004 has failed", "subject": {"lines": ["no test passes"], "class": "exit"},
        "rule": None, "options": [], "choices": [], "replaces": None, "asked_at": rows[0]["asked_at"],
        "attach_only": False,
    }  # fmt: skip
    assert (rows[1]["name"], rows[1]["part"], rows[1]["need"]) == ("login", "tasks", "phase")
    asked, notified = of_quest
    about = {"kind": "quest", "id": "q1", "name": "login/TSK-004"}
    assert (asked["type"], asked["question"], asked["need"], asked["about"]) == ("asked", 1, "stuck", about)
    assert (notified["type"], notified["why"], notified["now"]) == ("notification", "blocked", "TSK-004 has failed")
    assert notified["about"] == about
    assert [one["name"] for one in of_spec] == ["login", "login"]


def test_the_same_question_is_asked_once(home):
    async def scene(inside):
        acting = Acting(inside)
        ask = acting.engine.ask
        numbers = [
            acting.stuck(about=MISSION),
            acting.stuck("and again", about=MISSION),
            acting.stuck(about=MISSION, key="other"),
        ]
        numbers += [ask(EngineNeed.MERGE, MISSION, summary="x"), ask(EngineNeed.STUCK, SPEC, summary="x")]
        await saved(inside)
        await inside.ask("answer", question=1, behaviour="deny")
        numbers.append(acting.stuck(about=MISSION))
        return numbers

    async def later(inside):
        acting = Acting(inside)
        return [
            acting.stuck(about=MISSION),
            acting.stuck(about=MISSION, key="other"),
            acting.stuck(about=MISSION, key="new"),
        ]

    assert told(home, scene, later) == [[1, 1, 2, 3, 4, 5], [5, 2, 6]]


def test_what_it_says_can_change_and_it_counts_as_read_once_the_inbox_of_this_daemon_has_shown_it(home):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck(about=MISSION)
        shown = [acting.engine.is_shown(1)]
        await inside.ask("inbox")
        acting.engine.reword(1, summary="it has failed twice", subject={"lines": ["\ud83d"]})
        await saved(inside)
        return [*shown, acting.engine.is_shown(1)]

    async def later(inside):
        shown = inside.app.engine_questions.is_shown(1)
        (row,) = await inside.ask("inbox")
        return shown, row["question"], row["summary"], row["subject"]

    assert told(home, scene, later) == [[False, True], (False, 1, "it has failed twice", {"lines": ["?"]})]


def test_the_inbox_names_a_subject_as_it_is_called_now(home):
    async def scene(inside):
        mission = await inside.run("sleep 9", name="before")
        about = About(AboutKind.MISSION, mission, "before")
        inside.app.engine_questions.ask(EngineNeed.STEER, about, summary="it goes in circles")
        await inside.ask("update", id=mission, name="after")
        (row,) = await inside.ask("inbox")
        return row["name"], row["about"]["name"]

    assert told(home, scene) == [("after", "after")]


def test_texts_that_are_half_of_a_character_are_asked_about_all_the_same(home):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck("\n  half \udce2\n", subject={"lines": ["\ud83d", 1, None], "\udcff": ("\udcff",)})
        (row,) = await inside.ask("inbox")
        return row["summary"], row["subject"]

    assert told(home, scene) == [("half ?", {"lines": ["?", 1, None], "?": ["?"]})]


def test_where_no_person_can_answer_each_is_denied_at_once(home):
    async def scene(inside):
        engine = inside.app.engine_questions
        engine._unattended = True
        acting = Acting(inside, EngineNeed.STUCK)
        acting.stuck()
        engine.ask(EngineNeed.MERGE, QUEST, summary="nobody acts on this")
        await saved(inside)
        return acting.acted

    assert told(home, scene) == [[(1, "stuck", "deny", "No one can answer.")]]
    rows, acted = kept(home)
    assert rows == [(1, "answered", "headless"), (2, "open", None)]
    assert acted == [[1, "stuck", "deny", "No one can answer."]]


# --- answering ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("need", EngineNeed)
@pytest.mark.parametrize("behaviour", ["allow", "deny"])
def test_each_need_takes_allow_and_deny_with_a_text(home, need, behaviour):
    async def scene(inside):
        acting = Acting(inside)
        acting.engine.ask(need, SPEC, summary="?", part="tasks")
        answered = await inside.ask("answer", question=1, behaviour=behaviour, message="mind the gap")
        return answered, acting.acted, await inside.ask("inbox"), inside.events(SPEC.id)[-1]

    [(answered, acted, rows, event)] = told(home, scene)
    about = {"kind": "spec", "id": "s1", "name": "login"}
    assert answered == {
        "question": 1, "id": "s1", "name": "login", "about": about, "part": "tasks", "need": need,
        "behaviour": behaviour, "by": "a person",
    }  # fmt: skip
    assert acted == [(1, need, behaviour, "mind the gap")]
    assert rows == []
    assert {name: event[name] for name in ("type", "question", "by", "behaviour", "about")} == {
        "type": "answered", "question": 1, "by": "a person", "behaviour": behaviour, "about": about,
    }  # fmt: skip
    is_answer = need == EngineNeed.REPORT and behaviour == "allow"
    assert event.get("answer") == ("mind the gap" if is_answer else None)
    assert kept(home) == ([(1, "answered", "a person")], [[1, need, behaviour, "mind the gap"]])


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ({"behaviour": "always"}, "invalid", "`always` is for permissions"),
        ({"behaviour": "allow", "options": ["A"]}, "invalid", "has no options"),
        ({"behaviour": "deny", "message": "é" * 40_000}, "too_large", "64 KiB"),
    ],
)
def test_an_answer_that_it_does_not_take_is_refused_and_it_stays_open(home, answer, code, said):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck()
        error = await refusal(inside.ask("answer", question=1, **answer))
        return error, acting.acted, len(await inside.ask("inbox"))

    [(error, acted, count)] = told(home, scene)
    assert error.code == code
    assert said in error.message
    assert (acted, count) == ([], 1)
    assert kept(home) == ([(1, "open", None)], None)


@pytest.mark.parametrize(("options", "text"), [(["1:#443"], "443"), (["1:#1", "1:#3"], "1,3")])
def test_a_number_is_a_text_where_a_mission_has_asked_and_no_yes_to_anything_else(home, options, text):
    async def scene(inside):
        acting = Acting(inside)
        for number, kind in enumerate(("question", "bug"), 1):
            acting.engine.ask(EngineNeed.REPORT, MISSION, summary="?", subject={"kind": kind}, key=str(number))
        await inside.ask("answer", question=1, options=options)
        return acting.acted, await refusal(inside.ask("answer", question=2, options=options))

    [(acted, refused)] = told(home, scene)
    assert acted == [(1, "report", "allow", text)]
    assert refused.code == "invalid"


def test_a_label_is_no_answer_to_what_a_mission_asks_and_no_line_says_yes(home):
    async def scene(inside):
        acting = Acting(inside)
        acting.engine.ask(EngineNeed.REPORT, MISSION, summary="?", subject={"kind": "question"})
        return await refusal(inside.ask("answer", question=1, options=["Red"]))

    [refused] = told(home, scene)
    assert refused.message == "This question has no options. Answer it with a text: overmind answer 1 'TEXT'"


def test_who_acts_on_it_may_refuse_an_answer_and_nothing_is_recorded(home):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck()
        acting.refuses = "Give the dollars, as in -m 2.50"
        error = await refusal(inside.ask("answer", question=1, behaviour="allow", message="lots"))
        before = [event["type"] for event in inside.events(QUEST.id)]
        again = acting.stuck()
        acting.refuses = None
        await inside.ask("answer", question=1, behaviour="allow", message="2.50")
        return error.message, before, again, acting.acted

    [(message, before, again, acted)] = told(home, scene)
    assert message == "Give the dollars, as in -m 2.50"
    assert before == ["asked", "notification"]
    assert again == 1
    assert acted == [(1, "stuck", "allow", "2.50")]


def test_a_second_answer_hears_who_was_first_and_when(home):
    """36: answered twice: `not_found`, and by whom."""

    async def scene(inside):
        acting = Acting(inside)
        acting.stuck()
        await inside.ask("answer", question=1, behaviour="deny")
        at_once = await refusal(inside.ask("answer", question=1, behaviour="allow"))
        await asyncio.sleep(150)
        return at_once, await refusal(inside.ask("answer", question=1, behaviour="allow")), acting.acted

    [(at_once, later, acted)] = told(home, scene)
    assert at_once.code == later.code == "not_found"
    assert at_once.message == "Question 1 was already answered by a person 0s ago."
    assert later.message == "Question 1 was already answered by a person 2m ago."
    assert later.fields == {"by": "a person", "answered_at": at_once.fields["answered_at"]}
    assert len(acted) == 1


def test_of_ten_who_answer_at_once_one_is_first(home):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck()
        answers = [inside.ask("answer", question=1, behaviour="allow", message=str(n)) for n in range(10)]
        told_ = await asyncio.gather(*answers, return_exceptions=True)
        late = [one for one in told_ if isinstance(one, OvermindError)]
        return [one.code for one in late], {one.message for one in late}, len(acting.acted)

    [(codes, messages, acted)] = told(home, scene)
    assert codes == ["not_found"] * 9
    assert messages == {"Question 1 was already answered by a person 0s ago."}
    assert acted == 1


def test_one_that_nobody_here_can_act_on_is_shown_and_stays_open(home):
    """A later version has asked it."""

    async def scene(inside):
        row = QuestionRow(3, None, None, "galaxy", "g1", QUESTION_OPEN, 1.0, None, None, None, '{"need":"orbit"}')
        inside.app.journal.save(lambda: inside.app.state.questions.insert(row))
        await saved(inside)

    async def later(inside):
        (row,) = await inside.ask("inbox")
        error = await refusal(inside.ask("answer", question=3, behaviour="allow"))
        return row["need"], row["about"], error.code, error.message, len(await inside.ask("inbox"))

    [_, (need, about, code, message, count)] = told(home, scene, later)
    assert (need, about) == ("orbit", {"kind": "galaxy", "id": "g1", "name": ""})
    assert code == "invalid"
    assert message == "This version can't act on question 3 (orbit). It stays open."
    assert count == 1


def test_a_subject_of_one_kind_can_have_another_who_acts(home):
    async def scene(inside):
        engine, acted = unhandled(inside), []
        engine.on(EngineNeed.MERGE, lambda question, _: acted.append(("any", question.number)))
        engine.on(EngineNeed.MERGE, lambda question, _: acted.append(("spec", question.number)), kind=AboutKind.SPEC)
        for about in (QUEST, SPEC):
            engine.ask(EngineNeed.MERGE, about, summary="?")
        for number in (1, 2):
            await inside.ask("answer", question=number, behaviour="allow")
        return acted

    assert told(home, scene) == [[("any", 1), ("spec", 2)]]


def test_what_follows_may_ask_again_and_withdraw(home):
    """The gate that a denial closes opens anew with another number; the question itself is not withdrawn."""

    async def scene(inside):
        engine = unhandled(inside)

        def act(question, _decision):
            engine.withdraw(question.about.id)
            engine.ask(EngineNeed.PHASE, question.about, summary="anew", part="tasks")

        engine.on(EngineNeed.PHASE, act)
        engine.ask(EngineNeed.PHASE, SPEC, summary="?", part="tasks")
        await inside.ask("answer", question=1, behaviour="deny")
        return [one.number for one in engine.open_for(SPEC.id)]

    assert told(home, scene) == [[2]]
    assert kept(home)[0] == [(1, "answered", "a person"), (2, "open", None)]


# --- by name --------------------------------------------------------------------------------------------------------


def test_it_is_answered_by_the_name_of_its_subject_the_oldest_first(home, tmp_path):
    async def scene(inside):
        acting = Acting(inside)
        started = await inside.ask("quest_run", command="sleep 9", cwd="/", env=world(), name="api", check="true")
        about = About(AboutKind.QUEST, started["id"], "api")
        for need in (EngineNeed.STUCK, EngineNeed.MERGE):
            acting.engine.ask(need, about, summary="?")
        by_name = await inside.ask("answer", id="api", behaviour="allow")
        by_id = await inside.ask("answer", id=started["id"][:4], behaviour="allow")
        none = await refusal(inside.ask("answer", id="api", behaviour="allow"))
        unknown = await refusal(inside.ask("answer", id="nobody", behaviour="allow"))
        return by_name["question"], by_id["question"], none.message, unknown.code, started["id"]

    [(by_name, by_id, none, unknown, quest)] = told(home, scene)
    assert (by_name, by_id) == (1, 2)
    assert none.startswith(f"Mission {quest} (api) has no open question. Question 2 was already answered by a person ")
    assert unknown == "not_found"


@pytest.mark.parametrize("kind", [AboutKind.MISSION, AboutKind.QUEST])
def test_a_name_of_two_subjects_that_both_ask_is_ambiguous(home, kind):
    async def scene(inside):
        acting = Acting(inside)
        mission = await inside.run("sleep 9", name="login")
        acting.engine.ask(EngineNeed.STEER, About(kind, mission, "login"), summary="?")
        acting.engine.ask(EngineNeed.PHASE, SPEC, summary="?", part="tasks")

        def find_spec(word):
            if word != "login":
                raise OvermindError("not_found", "No such spec.")
            return SPEC

        api = next(one for one in inside.app.agent_apis if type(one).__name__ == "QuestionApi")
        api._resolvers = (*api._resolvers, find_spec)
        both = await refusal(inside.ask("answer", id="login", behaviour="allow"))
        await inside.ask("answer", question=1, behaviour="deny")
        return both, (await inside.ask("answer", id="login", behaviour="allow"))["question"]

    [(both, answered)] = told(home, scene)
    assert both.code == "ambiguous"
    assert both.message == f"'login' has several open questions: 1 ({kind} login), 2 (spec login). Give the number."
    assert answered == 2


# --- withdrawing ----------------------------------------------------------------------------------------------------


def test_when_its_subject_ends_it_is_withdrawn_and_the_count_is_one_less(home):
    """38."""

    async def scene(inside):
        acting = Acting(inside)
        acting.stuck()
        acting.engine.ask(EngineNeed.MERGE, QUEST, summary="?")
        acting.engine.ask(EngineNeed.BUDGET, THE_QUEUE, summary="?")
        acting.engine.withdraw(QUEST.id, EngineNeed.STUCK)
        counts = [len(await inside.ask("inbox"))]
        acting.engine.withdraw(QUEST.id)
        acting.engine.withdraw(QUEST.id)
        counts.append(len(await inside.ask("inbox")))
        error = await refusal(inside.ask("answer", question=1, behaviour="allow"))
        withdrawn = [event for event in inside.events(QUEST.id) if event["type"] == "answered"]
        return counts, error.message, [(one["question"], one["by"], one["behaviour"]) for one in withdrawn]

    [(counts, message, withdrawn)] = told(home, scene)
    assert counts == [2, 1]
    assert message == "Question 1 is closed: it was withdrawn 0s ago."
    assert withdrawn == [(1, None, None), (2, None, None)]
    assert kept(home)[0] == [(1, "withdrawn", None), (2, "withdrawn", None), (3, "open", None)]


def test_what_is_withdrawn_can_be_one_key_of_many(home):
    async def scene(inside):
        acting = Acting(inside)
        for phase in ("design", "tasks"):
            acting.engine.ask(EngineNeed.PHASE, SPEC, summary="?", part=phase)
        acting.engine.withdraw(SPEC.id, EngineNeed.PHASE, key="design")
        return [one.key for one in acting.engine.open_for(SPEC.id)], list(acting.engine.asked_about())

    assert told(home, scene) == [(["tasks"], ["s1"])]


@pytest.mark.parametrize("dies", [False, True])
def test_what_ends_with_a_mission_is_withdrawn_by_its_end_whenever_a_supervisor_hears_of_it(home, dies):
    """38."""
    keeper = ScriptedKeeper(home)

    async def story():
        async with supervising(home, keeper) as inside:
            acting = Acting(inside)
            mission = await inside.run("sleep 9", name="api")
            about = About(AboutKind.MISSION, mission, "api")
            await in_process.until(lambda: keeper.held)
            acting.engine.ask(EngineNeed.STEER, about, summary="?", ends_with=mission)
            acting.engine.ask(EngineNeed.REPORT, about, summary="?")
            await saved(inside)
            if not dies:
                keeper.exit(f"{mission}.1")
                await in_process.until(lambda: mission not in inside.app.registry.live)
                await in_process.idle()
                return [row["question"] for row in await inside.ask("inbox")]
        keeper.exit(f"{mission}.1")
        async with supervising(home, keeper) as inside:
            await in_process.until(lambda: mission not in inside.app.registry.live)
            await in_process.idle()
            return [row["question"] for row in await inside.ask("inbox")]

    try:
        assert in_process.run(story()) == [2]
    finally:
        keeper.close()
    assert kept(home)[0] == [(1, "withdrawn", None), (2, "open", None)]


def test_a_supervisor_that_died_behind_the_end_of_a_mission_left_nothing_open_that_ends_with_it(home):
    async def asks(inside):
        acting = Acting(inside)
        acting.stuck(about=MISSION, ends_with="gone")
        acting.stuck(about=MISSION, key="stays")
        await saved(inside)

    async def finds(inside):
        await saved(inside)

    told(home, asks, finds)
    assert kept(home)[0] == [(1, "withdrawn", None), (2, "open", None)]


def test_of_those_that_are_closed_the_newest_are_kept(home, monkeypatch):
    monkeypatch.setattr(engine_questions, "KEPT", 3)

    async def scene(inside):
        acting = Acting(inside)
        for key in "abcde":
            acting.stuck(key=key)
            if key != "a":
                acting.engine.withdraw(QUEST.id, key=key)
        await saved(inside)

    async def later(inside):
        await saved(inside)

    told(home, scene, later)
    assert [number for number, *_ in kept(home)[0]] == [1, 3, 4, 5]


# --- hostile --------------------------------------------------------------------------------------------------------


def test_a_daemon_that_dies_between_question_and_answer_leaves_it_open_with_its_number(home):
    async def asks(inside):
        acting = Acting(inside)
        acting.stuck(about=MISSION)
        await saved(inside)

    async def finds(inside):
        (row,) = await inside.ask("inbox")
        acting = Acting(inside)
        acting.engine.ask(EngineNeed.MERGE, MISSION, summary="?")
        return row["question"], acting.stuck(about=MISSION)

    assert told(home, asks, finds)[1] == (1, 1)


def test_a_daemon_that_dies_before_an_answer_is_saved_has_neither_answered_nor_acted(home):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck(about=MISSION)
        await saved(inside)
        answering = asyncio.ensure_future(inside.ask("answer", question=1, behaviour="allow"))
        while not acting.acted:  # noqa: ASYNC110 - at each turn of the loop
            await asyncio.sleep(0)
        inside.app.journal.close()
        answering.cancel()
        return len(acting.acted)

    async def again(inside):
        acting = Acting(inside)
        await inside.ask("answer", question=1, behaviour="deny")
        return acting.acted

    assert told(home, scene, again) == [1, [(1, "stuck", "deny", None)]]


@contextmanager
def full_disk(inside, monkeypatch):
    def refuse():
        raise DiskFull(inside.app.home.database, "full")

    with monkeypatch.context() as patch:
        patch.setattr(inside.app.state.database, "transaction", refuse)
        yield


def test_on_a_full_disk_an_answer_is_refused_and_given_once_there_is_room(home, monkeypatch):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck()
        await saved(inside)
        with full_disk(inside, monkeypatch):
            for _ in range(2):
                with pytest.raises(DiskFull):
                    await inside.ask("answer", question=1, behaviour="allow")
        assert acting.acted == []
        await asyncio.sleep(5)
        counts = len(await inside.ask("inbox"))
        await inside.ask("answer", question=1, behaviour="deny")
        return counts, acting.acted

    assert told(home, scene) == [(1, [(1, "stuck", "deny", None)])]


def test_a_disk_that_fills_up_while_it_is_answered_keeps_both_for_later_or_neither(home, monkeypatch):
    async def scene(inside):
        acting = Acting(inside)
        acting.stuck()
        await saved(inside)
        filled = full_disk(inside, monkeypatch)
        act = acting.act

        def fill(question, decision):
            act(question, decision)
            filled.__enter__()

        inside.app.engine_questions._handlers["stuck", None] = fill
        with pytest.raises(DiskFull):
            await inside.ask("answer", question=1, behaviour="allow")
        meanwhile = kept(home)
        late = await refusal(inside.ask("answer", question=1, behaviour="deny"))
        filled.__exit__(None, None, None)
        await saved(inside)
        return meanwhile, late.message

    [(meanwhile, late)] = told(home, scene)
    assert meanwhile == ([(1, "open", "a person")], None)
    assert late == "Question 1 was already answered by a person 0s ago."
    assert kept(home) == ([(1, "answered", "a person")], [[1, "stuck", "allow", None]])
