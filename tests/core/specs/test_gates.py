"""Questions at the gates of a spec: what its tasks are estimated to cost, and the cards that they have on the board."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from overmind_core.cli.agents.inbox import inbox_text
from overmind_core.cli.completion import question_words
from overmind_core.cli.specs.text import spec_text
from overmind_core.cli.waiting import questions_about
from overmind_core.domain.specs.shape import SpecTask
from overmind_core.domain.specs.spec import AGENT_PHASES, PhaseName
from overmind_core.errors import OvermindError
from overmind_core.landing.merge import MergeRun
from overmind_core.quests.input_folder import attempt_folders
from overmind_core.specs.gates import GateQuestions, _task_lines
from overmind_core.specs.gates import counted as number_of
from overmind_core.view import inbox as inbox_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view.board import counted
from overmind_core.view.grouping import grouped
from overmind_core.view.groups import Wish
from overmind_web.pages import board as web_board
from tests.kit import in_process
from tests.kit.cases import tabled
from tests.kit.in_process import idle, until, world
from tests.kit.repositories import Repository
from tests.kit.spec_daemons import Daemons
from tests.kit.spec_documents import WHOLE, checked, tasks, write_documents

SPEC: Any = None
TASKS: Any = [SimpleNamespace(type=name, group="g") for name in ("feature", "test", "docs")]


@tabled(
    ("costs", "dollars", "unknown", "text"),
    [
        ({}, None, 3, ""),
        ({"feature": 0.1, "test": 0.2}, 0.3, 1, ", about $0.30 without 1 of them"),
        ({"feature": 0.1, "test": 0.2, "docs": 0.004}, 0.304, 0, ", about $0.30"),
    ],
)
def test_of_tasks_the_known_costs_are_added(costs, dollars, unknown, text):
    maker = SimpleNamespace(
        work=lambda _spec: SimpleNamespace(agent=None, definition=SimpleNamespace(provider="claude"))
    )
    gates: Any = SimpleNamespace(_maker=maker, _usual_cost=lambda kind, _provider, _model: costs.get(kind))
    found = GateQuestions._cost(gates, SPEC, TASKS)
    assert (found.dollars, found.unknown, found.text) == (dollars, unknown, text)


def test_a_task_is_asked_about_with_its_time_its_needs_and_its_files():
    task = SpecTask(id="TSK-002", title="Store carts", hours=1.5, needs=("TSK-001",), modifies=("shop/store.py",))
    assert _task_lines(task) == ["TSK-002 Store carts", "  1.5 h · needs TSK-001 · modifies shop/store.py"]
    many = SpecTask(id="TSK-003", title="Many", creates=tuple(f"{one}.py" for one in range(7)))
    assert _task_lines(many) == ["TSK-003 Many", "  creates 0.py, 1.py, 2.py, 3.py, 4.py, 2 more"]
    assert _task_lines(SpecTask(id="TSK-004", title="None")) == ["TSK-004 None"]


@tabled(("number", "text"), [(0, "0 hours"), (1, "1 hour"), (1.0, "1 hour"), (3.5, "3.5 hours"), (2, "2 hours")])
def test_one_thing_is_not_several(number, text):
    assert number_of(number, "hour") == text


def test_without_known_work_no_cost_is_known():
    gates: Any = SimpleNamespace(_maker=SimpleNamespace(work=lambda _spec: None))
    assert GateQuestions._cost(gates, SPEC, TASKS) == (None, 3)


def test_what_a_spec_waits_for_is_a_card_in_review_until_it_is_answered(tmp_path):
    daemons = Daemons(tmp_path)
    shown = {"target": "main", "commits": [{"hash": "c", "subject": "carts"}], "files": [{"path": "carts.py"}]}

    def cards(board):
        found = counted(board)
        review = [row for row in found.rows if row["column"] == 3]
        return [(row["name"], row.get("at_gate") or row["asked"]) for row in review], found.counts[3]

    async def scenario():
        async with daemons.one():
            slug = await daemons.new(gates="explore")
            ask = daemons.inside.ask
            assert cards(await ask("board")) == ([], 0)
            await ask("spec_run", id=slug, last="explore")
            run = await daemons.begun("explore")
            daemons.hand_in(run, "explore")
            daemons.keeper.exit(run)
            while not (questions := await ask("inbox")):
                await idle()
            board = await ask("board")
            assert cards(board) == ([("carts/explore", "gate")], 1)
            (gate,) = board["gates"]
            assert (gate["question"], gate["name"], gate["phase"]) == (questions[0]["question"], "carts", "explore")
            assert gate["quest"] == (await ask("quest", id="carts/explore"))["id"]
            assert [row["name"] for row in counted(board).rows] == ["carts/explore"], "one thing, one card"
            assert cards(await ask("board", spec=slug)) == ([("carts/explore", "gate")], 1)
            await ask("answer", question=questions[0]["question"], behaviour="allow")
            assert cards(await ask("board")) == ([], 0)
            assert [row["name"] for row in counted(await ask("board")).rows] == ["carts/explore"]
            specs = daemons.inside.app.engine.specs
            landing = specs.parts.landing
            with mock.patch.object(landing, "_merge", side_effect=[shown]):
                await landing.ask(specs.registry.all[specs.id_of(slug)])
            assert cards(await ask("board")) == ([("carts", "merge")], 1)

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


async def answered(ask, word):
    """The number of the question that an answer by this word reaches."""
    with pytest.raises(OvermindError) as refused:  # words alone are no answer: nothing is decided
        await ask("answer", id=word, message="words")
    return int(refused.value.message.rpartition("answer ")[2].split()[0])


async def refusal(ask, word):
    """The message for an answer by this word that comes too late."""
    with pytest.raises(OvermindError) as refused:
        await ask("answer", id=word, behaviour="allow")
    return refused.value.message


async def why_names(ask, word):
    (named,) = (await ask("quest_why", id=word))["questions"]
    return named["question"]


async def quest_asks(ask, word):
    row = await ask("quest", id=word)
    return (quests_rows.question_of(row, await ask("inbox")) or {}).get("question")


async def card_asks(ask, word):
    rows, questions = counted(await ask("board")).rows, await ask("inbox")
    quests_rows.learn(rows, {}, questions)
    (card,) = [row for row in rows if word in {row["name"], row["id"]}]
    assert "y answers: " in quests_rows.standing(card)
    return (quests_rows.question_of(card, questions) or {}).get("question")


async def browser_asks(ask, word):
    found, questions = counted(await ask("board")), await ask("inbox")
    quests_rows.learn(found.rows, {}, questions)
    queue = {"paused": False, "slots": 1, "pools": [], "count": 0, "landing": []}
    drawn: Any = web_board.content(found, queue, by="", questions=questions, there={})
    names = {row["id"]: {row["name"], row["id"]} for row in found.rows}
    (card,) = [card for column in drawn["columns"] for card in column["cards"] if word in names[card["id"]]]
    return card["question"]


async def waiter_hears(ask, word):
    quest = await ask("quest", id=word)
    (((_, number), _),) = questions_about(await ask("inbox"), {quest["id"]}, (quest["name"],))
    return number


async def list_of_missions_asks(ask, word):
    quest = await ask("quest", id=word)
    (entry,) = grouped([], await ask("inbox"), 0.0, Wish()).needs
    assert entry.name == quest["name"]
    assert entry.need is not None
    assert entry.need.asked is not None
    return entry.need.asked["question"]


DOORS = (
    answered, why_names, quest_asks, card_asks, browser_asks, waiter_hears, list_of_missions_asks,
)  # fmt: skip
"""Each place that takes a name and looks for what is asked about it."""


def test_whoever_asks_by_the_name_of_a_gate_reaches_the_same_question(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="explore")
            await ask("spec_run", id=slug, last="explore")
            run = await daemons.begun("explore")
            daemons.hand_in(run, "explore")
            daemons.keeper.exit(run)
            while not (questions := await ask("inbox")):
                await idle()
            (asked,) = questions
            (quest,) = asked["quests"]
            for word in ("carts/explore", quest):
                reached = {door.__name__: await door(ask, word) for door in DOORS}
                assert reached == dict.fromkeys(reached, asked["question"]), word
            assert [await answered(ask, word) for word in ("carts", asked["id"])] == [asked["question"]] * 2
            (need,) = inbox_rows.needs([], questions, 0.0)
            assert need.row["name"] == "carts/explore"
            assert inbox_text(questions, 0.0).startswith(f"1  carts/explore ({quest})  phase  ")
            assert question_words(questions) == ["1", "carts", "carts/explore"]
            await ask("answer", id="carts/explore", behaviour="allow")
            for word in ("carts", "carts/explore", asked["id"], quest):
                assert "Question 1 was already answered by " in await refusal(ask, word), word

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_a_gate_whose_document_no_quest_has_made_is_reached_by_the_name_of_its_card(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="explore")
            write_documents((await ask("spec", id=slug))["folder"], {PhaseName.EXPLORE: WHOLE[PhaseName.EXPLORE]})
            await ask("spec_run", id=slug, last="explore")
            while not (questions := await ask("inbox")):
                await idle()
            (asked,) = questions
            assert asked["quests"] == []
            (card,) = counted(await ask("board")).rows
            assert (card["name"], card["id"]) == ("carts/explore", f"gate:{asked['question']}")
            assert quests_rows.standing(card) == "carts/explore · review · y answers: carts: explore passed with 1.00"
            assert await answered(ask, "carts/explore") == asked["question"]
            assert await answered(ask, f"{asked['id']}/explore") == asked["question"]
            assert inbox_text(questions, 0.0).startswith(f"1  carts ({asked['id']})  explore phase  ")
            assert question_words(questions) == ["1", "carts", "carts/explore"]
            await ask("answer", id="carts/explore", behaviour="allow")
            assert (await refusal(ask, "carts/explore")).startswith("Question 1 was already answered by ")
            assert "already" not in await refusal(ask, "carts/design")
            assert "already" not in await refusal(ask, "nobody/explore")

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


async def asked(daemons):
    """What is asked, once it is anything."""
    while not (questions := await daemons.inside.ask("inbox")):
        await idle()
    return questions


def test_an_archived_spec_asks_nothing_and_asks_again_once_it_is_taken_back(tmp_path):
    daemons = Daemons(tmp_path)
    shown = {"target": "main", "commits": [{"hash": "c", "subject": "carts"}], "files": []}

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="explore")
            write_documents((await ask("spec", id=slug))["folder"], {PhaseName.EXPLORE: WHOLE[PhaseName.EXPLORE]})
            await ask("spec_run", id=slug, last="explore")
            (gate,) = await asked(daemons)
            specs = daemons.inside.app.engine.specs
            landing = specs.parts.landing
            with mock.patch.object(landing, "_merge", side_effect=[shown]):
                await landing.ask(specs.registry.all[specs.id_of(slug)])
            assert len(await ask("inbox")) == 2
            await ask("spec_archive", id=slug)
            spec = await ask("spec", id=slug)
            assert (await ask("inbox"), spec["question"], spec["phases"][0]["question"]) == ([], None, None)
            with mock.patch.object(landing, "_merge", side_effect=[shown]):
                await landing.ask(specs.registry.all[specs.id_of(slug)])
            assert await ask("inbox") == [], "a preview that was under way is shown to nobody"
            await ask("spec_archive", id=slug, undo=True, env=world())
            (again,) = await asked(daemons)
            assert (again["need"], again["summary"]) == ("phase", gate["summary"])
            assert again["question"] > gate["question"]

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_who_looks_at_a_spec_while_it_is_put_away_asks_nothing_about_it_and_keeps_nothing_of_it(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="explore")
            write_documents((await ask("spec", id=slug))["folder"], {PhaseName.EXPLORE: WHOLE[PhaseName.EXPLORE]})
            await ask("spec_run", id=slug, last="explore")
            await asked(daemons)
            specs = daemons.inside.app.engine.specs
            spec_id = specs.id_of(slug)

            async def looks_behind(command):
                """The list and the spec, for which somebody has asked just before that was done."""
                async with specs.parts.views._turns.of(spec_id):
                    doing = asyncio.create_task(ask(command, id=slug))
                    await idle()
                    looks = [asyncio.create_task(ask("specs", all=True)), asyncio.create_task(ask("spec", id=slug))]
                    await idle()
                await doing
                return await asyncio.gather(*looks, return_exceptions=True)

            (row,), shown = await looks_behind("spec_archive")
            assert (row["state"], shown["state"], shown["phases"][0]["question"]) == ("archived", "archived", None)
            assert await ask("inbox") == []
            rows, refused = await looks_behind("spec_forget")
            assert (rows, refused.code, specs.registry.phases(spec_id)) == ([], "not_found", {})

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


SHOWN_AGAIN = "spec/carts was committed to since it was shown."


@asynccontextmanager
async def waits_to_land(tmp_path, **options):
    """A daemon with a spec whose tasks are done, its repository, and a worktree of its branch."""
    code, daemons = Repository(str(tmp_path / "shop")), Daemons(tmp_path)
    code.commit("first", {})
    code.git("worktree", "add", "-q", "-b", "spec/carts", str(tmp_path / "branch"))
    branch = Repository(str(tmp_path / "branch"))
    branch.commit("carts", {"carts": "x\n"})
    try:
        async with daemons.one():
            slug = await daemons.new(env=world() | code.environ, **options)
            specs = daemons.inside.app.engine.specs
            specs.registry.change(specs.id_of(slug), branch="spec/carts")
            with mock.patch.object(specs.parts.progress, "_may_land", return_value=True):
                specs.go_on(specs.id_of(slug))
                yield daemons, code, branch
    finally:
        daemons.keeper.close()


def commits_of(code):
    return sorted(code.git("log", "--no-merges", "--format=%s", "main").splitlines())


async def landed(daemons):
    specs = daemons.inside.app.engine.specs
    await until(lambda: specs.registry.all[specs.id_of("carts")].landed, "it has landed")


def test_a_spec_that_was_committed_to_since_it_was_shown_does_not_land_and_is_shown_again(tmp_path):
    async def scenario():
        async with waits_to_land(tmp_path) as (daemons, code, branch):
            (first,) = await asked(daemons)
            assert first["subject"]["lines"][:3] == ["1 commit, 1 file, no conflict", "carts", "carts"]
            tip = branch.commit("late", {"late": "x\n"})
            with pytest.raises(OvermindError) as refused:
                await daemons.inside.ask("answer", id="carts", behaviour="allow")
            assert refused.value.code == "changed"
            assert refused.value.message == f"{SHOWN_AGAIN} It is shown again: overmind inbox"
            (again,) = await asked(daemons)
            assert again["question"] > first["question"]
            assert again["subject"]["lines"][:2] == [SHOWN_AGAIN, "2 commits, 2 files, no conflict"]
            assert (again["subject"]["tip"], commits_of(code)) == (tip, ["first"])
            await daemons.inside.ask("answer", id="carts", behaviour="allow")
            await landed(daemons)
            assert commits_of(code) == ["carts", "first", "late"]

    in_process.run(scenario())


def test_what_is_committed_between_the_answer_and_the_landing_of_a_spec_is_shown_before_it_lands(tmp_path):
    async def scenario():
        async with waits_to_land(tmp_path) as (daemons, code, branch):
            (first,) = await asked(daemons)
            landing = daemons.inside.app.engine.specs.parts.landing
            late = mock.AsyncMock(side_effect=lambda *_: branch.commit("late", {"late": "x\n"}))
            with mock.patch.object(landing, "check_shown", late):
                await daemons.inside.ask("answer", id="carts", behaviour="allow")
            (again,) = await asked(daemons)
            assert again["question"] > first["question"]
            assert again["subject"]["lines"][0] == "2 commits, 2 files, no conflict"
            assert commits_of(code) == ["first"]
            await daemons.inside.ask("answer", id="carts", behaviour="allow")
            await landed(daemons)

    in_process.run(scenario())


def test_without_a_gate_what_was_verified_of_a_spec_is_what_lands(tmp_path):
    async def scenario():
        async with waits_to_land(tmp_path, gates="none", verify="true") as (daemons, code, branch):
            check = await daemons.begun("verify")
            branch.commit("late", {"late": "x\n"})
            daemons.keeper.exit(check)
            await landed(daemons)
            assert commits_of(code) == ["carts", "first"]

    in_process.run(scenario())


def test_a_spec_that_is_denied_just_before_it_is_tried_again_does_not_land(tmp_path):
    async def scenario():
        async with waits_to_land(tmp_path, gates="none", verify="true") as (daemons, code, _branch):
            code.write({"carts": "mine\n"})
            (question,) = await asked(daemons)
            assert question["subject"]["code"] == "dirty"
            specs = daemons.inside.app.engine.specs
            progress, settle = specs.parts.progress, specs.parts.progress.settle

            async def settle_and_deny(spec):
                standing = await settle(spec)
                if specs.registry.all[spec.id].question is not None:
                    await daemons.inside.ask("answer", id="carts", behaviour="deny")
                return standing

            with mock.patch.object(progress, "settle", settle_and_deny):
                os.remove(code.path("carts"))
                await until(lambda: specs.registry.all[specs.id_of("carts")].declined, "it is denied")
                await idle()
            assert not specs.parts.landing._under_way
            assert (commits_of(code), await daemons.inside.ask("inbox")) == (["first"], [])

    in_process.run(scenario())


def test_a_spec_that_waits_for_a_checkout_and_then_meets_a_conflict_asks_about_that_and_tries_no_more(tmp_path):
    async def scenario():
        async with waits_to_land(tmp_path, gates="none", verify="true") as (daemons, code, _branch):
            code.write({"carts": "mine\n"})
            (dirty,) = await asked(daemons)
            code.git("add", "carts")
            code.git("commit", "-qm", "mine")
            registry, spec_id = daemons.inside.app.engine.specs.registry, dirty["id"]
            known = {None, dirty["question"]}
            await until(lambda: registry.all[spec_id].question not in known, "it asks about the conflict")
            (conflict,) = await daemons.inside.ask("inbox")
            assert (dirty["subject"]["code"], conflict["subject"]["code"]) == ("dirty", "conflicts")
            tried = registry.all[spec_id].landings
            await asyncio.sleep(60)  # of the loop's
            assert registry.all[spec_id].landings == tried
            assert len(await daemons.inside.ask("inbox")) == 1

    in_process.run(scenario())


@pytest.mark.parametrize("moving", [False, True], ids=["it is verified", "its base is moved"])
def test_a_spec_that_is_denied_while_it_is_tried_again_lands_only_where_that_is_too_late(tmp_path, moving):
    begun, held, land = asyncio.Event(), asyncio.Event(), MergeRun._land

    async def land_later(run, plan, trace):
        begun.set()
        await held.wait()
        await land(run, plan, trace)

    async def scenario():
        async with waits_to_land(tmp_path, gates="none", verify="true") as (daemons, code, _branch):
            code.write({"carts": "mine\n"})
            await asked(daemons)
            os.remove(code.path("carts"))
            ask, specs, check = daemons.inside.ask, daemons.inside.app.engine.specs, await daemons.begun("verify")
            with mock.patch.object(MergeRun, "_land", land_later):
                if moving:
                    daemons.keeper.exit(check)
                    await begun.wait()
                    with pytest.raises(OvermindError, match=r"^spec/carts is being merged into main right now: "):
                        await ask("answer", id="carts", behaviour="deny")
                    held.set()
                    await landed(daemons)
                else:
                    await ask("answer", id="carts", behaviour="deny")
                    held.set()
                    daemons.keeper.exit(check)
                    await specs.parts.landing.ended(specs.id_of("carts"))
            spec = specs.registry.all[specs.id_of("carts")]
            assert (spec.declined, await ask("inbox")) == (not moving, [])
            assert commits_of(code) == (["carts", "first"] if moving else ["first"])

    in_process.run(scenario())


def test_a_spec_that_could_not_be_shown_is_shown_before_it_lands(tmp_path):
    async def scenario():
        async with waits_to_land(tmp_path) as (daemons, code, branch):
            specs = daemons.inside.app.engine.specs
            await daemons.inside.ask("answer", id=(await asked(daemons))[0]["name"], behaviour="deny")
            code.write({"carts": "mine\n"})
            code.git("add", "carts")
            code.git("commit", "-qm", "mine")
            specs.registry.change(specs.id_of("carts"), declined=False)
            specs.go_on(specs.id_of("carts"))
            (conflict,) = await asked(daemons)
            assert conflict["subject"]["code"] == "conflicts"
            branch.git("merge", "-q", "-s", "ours", "main")
            await daemons.inside.ask("answer", id="carts", behaviour="allow")
            (preview,) = await asked(daemons)
            assert preview["summary"] == "Land spec/carts on main"
            assert code.read("carts") == "mine\n"
            await daemons.inside.ask("answer", id="carts", behaviour="allow")
            await landed(daemons)
            assert code.read("carts") == "x\n"

    in_process.run(scenario())


def with_title(title):
    """The documents of a spec whose first task is called so."""
    value = checked("true")
    value["tasks"][0]["title"] = title
    return {**{phase: WHOLE[phase] for phase in AGENT_PHASES}, PhaseName.TASKS: value}


def test_a_task_that_has_changed_since_its_quest_began_is_named_until_a_person_accepts_that(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="none", allow=["Bash(true)"])
            folder = (await ask("spec", id=slug))["folder"]
            write_documents(folder, with_title("Write the cart"))
            assert (await ask("spec_run", id=slug))["conflicts"] == []
            await daemons.begun("TSK-001")
            write_documents(folder, with_title("Write it otherwise"))
            await ask("spec_run", id=slug, gates="tasks")
            (gate,) = await asked(daemons)
            assert "TSK-001 has changed, but its quest has begun, and stays as it is" in gate["subject"]["lines"]
            await ask("answer", question=gate["question"], behaviour="allow")
            await idle()
            (row,) = await ask("specs")
            shown = await ask("spec", id=slug)
            assert [one["conflicts"] for one in (row, shown, await ask("spec_run", id=slug))] == [["TSK-001"]] * 3
            assert "; changed since its quest began: TSK-001  Carts\n" in spec_text(shown)
            assert (await ask("spec_accept", id=slug))["tasks"] == ["TSK-001"]
            assert (await ask("spec", id=slug))["conflicts"] == []
            assert (await ask("spec_sync", id=slug, dry_run=True))["conflicts"] == 0

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_tasks_that_are_edited_after_they_were_approved_are_asked_about_before_they_become_quests(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="tasks", allow=["Bash(true)"])
            folder = (await ask("spec", id=slug))["folder"]
            changed = "tasks.md has changed since it was shown"
            write_documents(folder, with_title("Write a cart"))
            await ask("spec_run", id=slug)
            (shown,) = await asked(daemons)
            os.truncate(f"{folder}/tasks.md", 0)
            await ask("spec", id=slug)
            assert await ask("inbox") == [], "nothing is asked about what does not pass"
            write_documents(folder, with_title("Write the cart"))
            await ask("spec", id=slug)
            (gate,) = await asked(daemons)
            assert (changed in shown["subject"]["lines"], changed in gate["subject"]["lines"]) == (False, True)
            sync = daemons.inside.app.engine.specs.parts.progress._sync
            read, edits = sync._read, [with_title("Write something else")]

            def read_after_an_edit(spec):
                if edits:
                    write_documents(folder, edits.pop())
                return read(spec)

            with mock.patch.object(sync, "_read", read_after_an_edit):
                await ask("answer", question=gate["question"], behaviour="allow")
                (again,) = await asked(daemons)
            assert not edits
            assert again["question"] > gate["question"]
            assert {"TSK-001 Write something else", changed} <= set(again["subject"]["lines"])
            assert await ask("quests") == []
            write_documents(folder, with_title("Write a third thing"))
            await ask("spec", id=slug)
            (third,) = await asked(daemons)
            assert third["question"] > again["question"], "nobody has answered it"
            assert {"TSK-001 Write a third thing", changed} <= set(third["subject"]["lines"])

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def with_check(command):
    """The documents of a spec whose second task is checked by this command."""
    value = tasks({"check": None, "no_check_because": "it is done by hand"}, {"check": command})
    return {**{phase: WHOLE[phase] for phase in AGENT_PHASES}, PhaseName.TASKS: value}


@asynccontextmanager
async def second_task_waits(tmp_path, gates):
    """A daemon with a spec of which one task runs and the next is queued, and the folder of its documents."""
    daemons = Daemons(tmp_path)
    try:
        async with daemons.one():
            slug = await daemons.new(gates=gates, allow=["Bash(true)"])
            folder = (await daemons.inside.ask("spec", id=slug))["folder"]
            write_documents(folder, with_check("true"))
            await daemons.inside.ask("spec_run", id=slug)
            if gates == "tasks":
                await asked(daemons)
                await daemons.inside.ask("answer", id="carts", behaviour="allow")
            run = await daemons.begun("TSK-001")
            yield daemons, folder, run
    finally:
        daemons.keeper.close()


async def completes(daemons, run):
    """Have the first task of a spec complete."""
    daemons.keeper.exit(run)
    while (await daemons.inside.ask("quest", id="carts/TSK-001"))["status"] != "completed":
        await idle()
    await idle()


@pytest.mark.parametrize("ask_by", ["spec_run", "spec"])
@pytest.mark.parametrize("gates", ["none", "tasks"])
def test_a_queued_task_whose_change_is_allowed_starts_with_it(tmp_path, gates, ask_by):
    async def scenario():
        async with second_task_waits(tmp_path, gates) as (daemons, folder, run):
            ask = daemons.inside.ask
            write_documents(folder, with_check("true # as it is wanted now"))
            await ask(ask_by, id="carts")
            if gates == "none" and ask_by == "spec":  # nobody is asked before a run
                await ask("spec_run", id="carts")
            await asked(daemons)
            await completes(daemons, run)
            assert (await ask("quest", id="carts/TSK-002"))["status"] == "queued"
            await ask("answer", id="carts", behaviour="allow")
            await daemons.begun("TSK-002")
            assert (await ask("quest", id="carts/TSK-002"))["check"] == "true # as it is wanted now"
            assert (await ask("spec", id="carts"))["conflicts"] == []

    in_process.run(scenario())


def test_a_queued_task_whose_change_is_allowed_but_not_to_be_synced_is_held_until_it_is(tmp_path):
    async def scenario():
        async with second_task_waits(tmp_path, "tasks") as (daemons, folder, run):
            ask = daemons.inside.ask
            write_documents(folder, with_check("true # as it is wanted now"))
            await ask("spec_run", id="carts", last="tasks")
            await asked(daemons)
            await completes(daemons, run)
            await ask("answer", id="carts", behaviour="allow")
            await idle()
            held = await ask("quest_why", id="carts/TSK-002")
            assert (held["text"], held["do"]) == ("phase sync has to be done again", ["overmind spec run carts"])
            assert (await ask("spec_sync", id="carts"))["updated"] == 1
            await daemons.begun("TSK-002")
            assert (await ask("quest", id="carts/TSK-002"))["check"] == "true # as it is wanted now"

    in_process.run(scenario())


DENIED = "the rule Bash(./test:*) denies the check of TSK-001, TSK-002"


def test_a_fault_of_an_adopted_document_is_named_wherever_that_is_shown_and_to_who_writes_it_again(tmp_path):
    async def scenario():
        daemons = Daemons(tmp_path)
        folder = os.path.join(daemons.folder, ".overmind", "specs", "mine")
        write_documents(folder, {**WHOLE, PhaseName.TASKS: checked("./test")}, title="Mine")
        try:
            async with daemons.one():
                ask = daemons.inside.ask
                await daemons.new(title="Mine", folder=folder, gates="none", retries=0, deny=["Bash(./test:*)"])

                async def shown():
                    details = await ask("spec", id="mine")
                    (tasks_,) = [one for one in details["phases"] if one["phase"] == "tasks"]
                    return tasks_["state"], tasks_["faults"]

                state, (fault,) = await shown()
                assert (state, fault.startswith("tasks.md:"), fault.endswith(DENIED)) == ("pending", True, True)
                with pytest.raises(OvermindError, match="denies the check of TSK-001"):
                    await ask("spec_sync", id="mine", dry_run=False)
                await ask("spec_run", id="mine")
                run = await daemons.begun("tasks")
                inputs = attempt_folders(daemons.home, run.partition(".")[0]).inputs
                brief = await asyncio.to_thread(Path(inputs, "brief.md").read_text)
                assert f"- {fault}\n" in brief
                daemons.keeper.exit(run)
                await until(lambda: not daemons.inside.app.quest_registry.live, "it hands in nothing")
                state, faults = await shown()
                assert (state, faults[1:]) == ("failed", ["It did not hand in tasks.json.", fault])
        finally:
            daemons.keeper.close()

    in_process.run(scenario())


async def ends(daemons):
    """Have all that has begun of a spec end."""
    await until(lambda: not daemons.inside.app.quest_registry.live, "no quest is left")
    await idle()


def test_a_phase_that_had_failed_and_is_written_by_hand_leaves_the_rest_to_the_next_run(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="none", retries=0)
            await ask("spec_run", id=slug)
            waiting = asyncio.create_task(states_until_its_end(daemons, slug))
            daemons.keeper.exit(await daemons.begun("explore"), 1)
            await ends(daemons)
            assert [one["need"] for one in await ask("inbox")] == ["stuck"]
            assert await waiting == "failed"
            spec = await ask("spec", id=slug)
            assert spec["state"] == "failed"
            write_documents(spec["folder"], {PhaseName.EXPLORE: WHOLE[PhaseName.EXPLORE]})
            for _ in range(2):
                spec = await ask("spec", id=slug)
                assert (spec["state"], spec["phases"][0]["state"]) == ("draft", "passed")
                await idle()
            assert "go on with: overmind spec run carts" in spec_text(spec)
            assert await ask("inbox") == []
            assert await states_until_its_end(daemons, slug) == "draft"
        async with daemons.one():
            await idle()
            assert daemons.inside.app.quest_registry.live == {}, "the next daemon begins nothing either"
            await daemons.inside.ask("spec_run", id=slug)
            await daemons.begun("requirements")

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


async def states_until_its_end(daemons, slug):
    """The state with which a wait for a spec ends."""
    return [item async for item in daemons.inside.stream("spec_wait", id=slug)][-1]["state"]


@pytest.mark.parametrize("by", ["spec_accept", "spec_run"])
def test_a_failed_quest_that_a_phase_is_done_without_is_asked_about_no_more(tmp_path, by):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="none", retries=0)
            folder = (await ask("spec", id=slug))["folder"]
            write_documents(folder, {PhaseName.EXPLORE: WHOLE[PhaseName.EXPLORE]})
            await ask("spec_run", id=slug, first="explore", last="explore")
            daemons.keeper.exit(await daemons.begun("explore"), 1)
            await ends(daemons)
            assert [one["need"] for one in await ask("inbox")] == ["stuck"]
            await ask(by, id=slug, **({"first": "explore", "last": "explore"} if by == "spec_run" else {}))
            await idle()
            assert await ask("inbox") == []

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_a_failed_quest_whose_document_a_person_has_mended_and_accepted_unseen_is_asked_about_no_more(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="none", retries=0)
            folder = (await ask("spec", id=slug))["folder"]
            await ask("spec_run", id=slug)
            daemons.keeper.exit(await daemons.begun("explore"), 1)
            await ends(daemons)
            assert [one["need"] for one in await ask("inbox")] == ["stuck"]
            write_documents(folder, {PhaseName.EXPLORE: WHOLE[PhaseName.EXPLORE]})
            await ask("spec_accept", id=slug)
            await idle()
            assert await ask("inbox") == []
            assert (await ask("spec", id=slug))["phases"][0]["state"] == "passed"

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_a_phase_that_could_not_begin_keeps_its_reason_where_nobody_has_edited_anything(tmp_path):
    daemons = Daemons(tmp_path)
    refused = OvermindError("provider_missing", "There is no such program.")

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="none")
            folder = (await ask("spec", id=slug))["folder"]
            # stale once it is explored
            write_documents(folder, {PhaseName.REQUIREMENTS: WHOLE[PhaseName.REQUIREMENTS]})
            await ask("spec_run", id=slug, last="requirements")
            run = await daemons.begun("explore")
            daemons.hand_in(run, "explore")
            specs = daemons.inside.app.engine.specs
            spec_id = specs.id_of(slug)
            with mock.patch.object(specs.parts.progress, "_begin", side_effect=refused):
                daemons.keeper.exit(run)
                await until(lambda: specs.registry.phase(spec_id, PhaseName.REQUIREMENTS).failure, "it is refused")
            for _ in range(2):
                phase = (await ask("spec", id=slug))["phases"][1]
                assert (phase["state"], phase["faults"]) == ("failed", [refused.message])
                assert specs.registry.all[spec_id].target is PhaseName.REQUIREMENTS
                await idle()

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_an_edit_at_a_gate_that_makes_its_document_stale_leaves_the_rest_to_the_next_run(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            ask, slug = daemons.inside.ask, await daemons.new(gates="explore")
            folder = (await ask("spec", id=slug))["folder"]
            write_documents(folder, {PhaseName.EXPLORE: WHOLE[PhaseName.EXPLORE]})
            await ask("spec_run", id=slug)
            await asked(daemons)
            await until(lambda: not daemons.inside.app.engine.specs._advancing, "the run has done what it can")
            await asyncio.to_thread(Path(folder, "brief.md").write_text, "# Carts\n\nAnd for guests.\n")
            for _ in range(2):
                spec = await ask("spec", id=slug)
                assert (spec["state"], spec["phases"][0]["state"]) == ("draft", "stale")
                await idle()
            assert await ask("inbox") == []
            assert daemons.inside.app.quest_registry.live == {}

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_an_adopted_document_at_a_gate_is_asked_about_by_a_run_and_the_spec_is_a_draft_until_then(tmp_path):
    daemons = Daemons(tmp_path)
    folder = os.path.join(daemons.folder, ".overmind", "specs", "mine")
    write_documents(folder, with_title("Write the cart"), title="Mine")

    async def scenario():
        async with daemons.one():
            ask = daemons.inside.ask
            slug = await daemons.new(title="Mine", folder=folder, gates="tasks", allow=["Bash(true)"])
            spec = await ask("spec", id=slug)
            assert (spec["state"], spec["phases"][3]["state"], await ask("inbox")) == ("draft", "review", [])
            assert "go on with: overmind spec run mine" in spec_text(spec)
            await ask("spec_run", id=slug)
            await asked(daemons)
            assert (await ask("spec", id=slug))["state"] == "review"

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()
