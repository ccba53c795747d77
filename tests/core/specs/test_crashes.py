"""Specs whose supervisor is gone right behind a commit, or has a fault of its own.

The next one goes on from there, and no agent works twice. What a fault keeps from going on is asked about.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from unittest import mock

import pytest

from overmind_core.domain.quests.quest import LandedWork
from overmind_core.domain.replacing import replace
from overmind_core.domain.reports import Report, ReportKind
from overmind_core.errors import OvermindError
from overmind_core.quests.registry import QuestEnded
from tests.kit import in_process
from tests.kit.in_process import idle, until
from tests.kit.spec_daemons import Daemons


def test_a_document_that_was_taken_up_before_its_quest_was_completed_is_not_made_again(tmp_path):
    """Kill table: between what saves the document and what saves that its quest has completed."""
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            await daemons.inside.ask("spec_run", id=slug, last="requirements")
            run = await daemons.begun("explore")
            daemons.hand_in(run, "explore")
            judge, judged = daemons.work.judge, asyncio.Event()

            async def judge_and_be_gone(quest):
                await judge(quest)
                judged.set()
                await asyncio.Future()

            daemons.work.judge = judge_and_be_gone
            daemons.keeper.exit(run)
            await judged.wait()
        async with daemons.one():
            await daemons.begun("requirements")
            spec = await daemons.inside.ask("spec", id=slug)
            assert [one["state"] for one in spec["phases"][:2]] == ["passed", "running"]
            await idle()
            assert len(daemons.keeper.held) == 2, "nothing was made twice"

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


@asynccontextmanager
async def refused_to_go_on(daemons):
    """A spec that could not be brought on when its first phase was over; and the question about that."""
    async with daemons.one():
        slug = await daemons.new()
        await daemons.inside.ask("spec_run", id=slug, last="requirements")
        run = await daemons.begun("explore")
        daemons.hand_in(run, "explore")
        progress = daemons.inside.app.engine.specs.parts.progress
        with mock.patch.object(progress, "advance", side_effect=ZeroDivisionError("division by zero")):
            daemons.keeper.exit(run)
            (question,) = await eventually(daemons, "inbox")
        yield slug, question


def test_who_waits_for_a_spec_is_told_once_that_the_queue_is_paused(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            await daemons.inside.ask("queue_set", paused=True)
            await daemons.inside.ask("spec_run", id=slug, last="requirements")
            pages = [await daemons.inside.ask(page, id=slug) for page in ("spec_run", "spec")]
            pages += await daemons.inside.ask("specs")
            told = []

            async def wait():
                async for item in daemons.inside.stream("spec_wait", id=slug):
                    told.append(item)  # noqa: PERF401 - read while it waits

            waiting = asyncio.create_task(wait())
            await idle()
            for paused in (False, True, False):
                await daemons.inside.ask("queue_set", paused=paused)
                await idle()
            waiting.cancel()
            return pages, told[1:], await daemons.inside.ask("spec", id=slug)

    try:
        pages, told, runs = in_process.run(scenario())
    finally:
        daemons.keeper.close()
    held = ("held", "the queue is paused", ["overmind queue resume"])
    assert [(one["what"], one["text"], one["do"]) for one in told] == [held]
    waits = {"name": "carts/explore", "text": held[1], "do": held[2]}
    assert [(one["state"], one["held"]) for one in (*pages, runs)] == [*[("running", waits)] * 3, ("running", None)]


async def eventually(daemons, command, **arguments):
    """What is answered once that is anything."""
    while not (found := await daemons.inside.ask(command, **arguments)):
        await idle()
    return found


def test_a_fault_of_the_daemons_own_is_asked_about_and_seen_wherever_one_looks(tmp_path):
    daemons = Daemons(tmp_path)
    problem = "it could not go on: ZeroDivisionError: division by zero. See daemon.log"

    async def scenario():
        async with refused_to_go_on(daemons) as (slug, question):
            assert (question["need"], question["name"], question["summary"]) == ("stuck", slug, f"{slug}: {problem}")
            spec = await daemons.inside.ask("spec", id=slug)
            assert (spec["state"], spec["problem"]) == ("stuck", problem)
            told = [one for one in daemons.inside.events(spec["id"]) if one["type"] == "spec" and one["phase"] is None]
            assert [(one["state"], one["by"], one["why"]) for one in told[-1:]] == [("stuck", "engine", problem)]
            waited = [item async for item in daemons.inside.stream("spec_wait", id=slug)]
            assert waited[-1]["state"] == "stuck"
            await daemons.inside.ask("answer", question=question["question"], behaviour="allow")
            await daemons.begun("requirements")
            spec = await daemons.inside.ask("spec", id=slug)
            assert (spec["state"], spec["problem"]) == ("running", None)

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


@pytest.mark.parametrize("do", [
    ("spec_run", {}), ("answer", {"behaviour": "deny"}),
])  # fmt: skip
def test_after_such_a_fault_a_run_goes_on_and_who_does_not_want_it_leaves_it_as_it_is(tmp_path, do):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with refused_to_go_on(daemons) as (slug, question):
            command, arguments = do
            again = command == "spec_run"
            about = {"id": slug, "last": "requirements"} if again else {"question": question["question"]}
            await daemons.inside.ask(command, **about, **arguments)
            await idle()
            assert await daemons.inside.ask("inbox") == []
            state = (await daemons.inside.ask("spec", id=slug))["state"]
            assert state == ("running" if again else "stuck")

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_the_next_daemon_tries_again_by_itself(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with refused_to_go_on(daemons):
            pass
        async with daemons.one():
            await daemons.begun("requirements")
            await idle()
            assert await daemons.inside.ask("inbox") == []

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_a_fault_while_it_lands_is_asked_about_as_what_keeps_it_from_landing(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            specs = daemons.inside.app.engine.specs
            spec = specs.registry.change(specs.id_of(slug), landing=True)
            fault = mock.patch.object(specs.parts.landing, "_merge", side_effect=ZeroDivisionError("division by zero"))
            with mock.patch.object(specs.parts.progress, "_may_land", return_value=True), fault:
                specs.parts.landing.start(spec)
                (question,) = await eventually(daemons, "inbox")
            assert (question["need"], question["subject"]["code"]) == ("merge", "internal")
            assert question["summary"].endswith(": ZeroDivisionError: division by zero. See daemon.log")
            assert not specs.registry.all[spec.id].landing

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("disk_full", "It is tried again by itself until there is room."),
        ("dirty", "It lands by itself once that is out of the way."),
    ],
)
def test_a_spec_whose_landing_is_refused_for_what_goes_away_is_asked_about_once_and_lands_then(tmp_path, code, told):
    daemons = Daemons(tmp_path)
    full = OvermindError(code, "It can't land.")
    merged = {"target": "main", "before": "a", "after": "b", "files": []}

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            specs = daemons.inside.app.engine.specs
            spec = specs.registry.change(specs.id_of(slug), landing=True)
            landing = specs.parts.landing
            with (
                mock.patch.object(specs.parts.progress, "_may_land", return_value=True),
                mock.patch.object(landing, "_merge", side_effect=[full, full, merged]) as merge,
                mock.patch.object(landing, "_place", mock.AsyncMock()),
                mock.patch.object(landing._landing, "until_branch_free", mock.AsyncMock()),
            ):
                landing.start(spec)
                (question,) = await eventually(daemons, "inbox")
                assert question["subject"]["lines"][-1] == told
                landing.land_later(specs.registry.all[spec.id])
                await until(lambda: merge.call_count == 2, "it was tried again")
                await idle()
                (again,) = await daemons.inside.ask("inbox")
                assert again["question"] == question["question"]
                landing.land_later(specs.registry.all[spec.id])
                await until(lambda: specs.registry.all[spec.id].landed, "it has landed")
            assert await daemons.inside.ask("inbox") == []

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_a_preview_without_room_is_asked_about_once_and_shown_once_there_is(tmp_path):
    daemons = Daemons(tmp_path)
    full = OvermindError("disk_full", "The disk is full: unable to write loose object file.")
    shown = {"target": "main", "commits": [{"hash": "c", "subject": "carts"}], "files": [{"path": "carts.py"}]}

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            specs = daemons.inside.app.engine.specs
            spec = specs.registry.all[specs.id_of(slug)]
            landing = specs.parts.landing
            with mock.patch.object(landing, "_merge", side_effect=[full, full, shown]) as merge:
                await landing.ask(spec)
                (question,) = await daemons.inside.ask("inbox")
                assert question["subject"]["lines"][-1] == "It is tried again by itself until there is room."
                await until(lambda: merge.call_count == 2, "it was tried again")
                await idle()
                (again,) = await daemons.inside.ask("inbox")
                assert again["question"] == question["question"]
                await until(lambda: merge.call_count == 3, "and again")
                (preview,) = await eventually(daemons, "inbox")
            assert preview["summary"] == "Land None on main"
            assert preview["subject"]["lines"][:-1] == ["1 commit, 1 file, no conflict", "carts", "carts.py"]
            assert ". Commit the documents yourself: /" in preview["subject"]["lines"][-1]
            assert specs.registry.all[spec.id].question == preview["question"] != question["question"]

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


@pytest.mark.parametrize(("code", "anew"), [("conflicts", True), ("disk_full", False)])
def test_what_is_in_the_way_of_a_preview_once_it_is_tried_again_is_asked_about_as_it_is_then(tmp_path, code, anew):
    daemons = Daemons(tmp_path)
    full, other = OvermindError("disk_full", "The disk is full."), OvermindError(code, "Something else is wrong.")

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            specs = daemons.inside.app.engine.specs
            spec, landing = specs.registry.all[specs.id_of(slug)], specs.parts.landing
            with mock.patch.object(landing, "_merge", side_effect=[full, other]) as merge:
                await landing.ask(spec)
                (question,) = await daemons.inside.ask("inbox")
                await until(lambda: merge.call_count == 2, "it was tried again")
                await idle()
                (again,) = await daemons.inside.ask("inbox")
            assert again["summary"] == f"{slug} can't land on None: Something else is wrong."
            assert (again["subject"]["code"], again["subject"]["lines"][0]) == (code, "Something else is wrong.")
            assert (again["question"] > question["question"]) == anew
            assert specs.registry.all[spec.id].question == again["question"]

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_a_spec_of_which_more_is_wanted_while_it_lands_has_not_landed_before_it_lands_once_more(tmp_path):
    daemons = Daemons(tmp_path)
    asked = []

    async def scenario():
        async with daemons.one():
            specs = daemons.inside.app.engine.specs
            spec = specs.registry.change(specs.id_of(await daemons.new()), landing=True)
            landing = specs.parts.landing
            verified = asyncio.Event()

            async def merge(of, *, preview):
                asked.append((of.landings, preview))
                await verified.wait()
                return {"target": "main", "before": "a", "after": "b", "files": []}

            with mock.patch.object(landing, "_merge", merge):
                landing.start(spec)
                await until(lambda: asked, "it is verified")
                specs.registry.more_wanted(spec.id)  # as a sync does, and a report
                verified.set()
                await landing.ended(spec.id)
                after = specs.registry.all[spec.id]
                assert (after.landed, after.landing) == (None, False)
                landing.start(specs.registry.change(spec.id, landing=True))
                await until(lambda: specs.registry.all[spec.id].landed, "it has landed")
            assert asked == [(0, False), (1, False)], "the key of a landing is another one each time"

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


def test_a_report_that_is_queued_after_its_spec_has_landed_is_to_land_too(tmp_path):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            await daemons.inside.ask("spec_run", id=slug, last="explore")
            run = await daemons.begun("explore")
            app = daemons.inside.app
            specs, reports = app.engine.specs, app.engine.reports
            spec = specs.registry.change(specs.id_of(slug), landed=LandedWork("main", "a", "b"), declined=True)
            mission = app.registry.live[run.partition(".")[0]]
            source = reports.source_of(mission)
            report = Report(ReportKind.BUG, "It drops a book.", source.id, source.name, app.clock.wall())
            made = await reports.report(source, report, block=False, waits=False, at_hand=None)
            assert made["quest"] is not None
            assert made["quest"]["name"] == "carts/R-001"
            after = specs.registry.all[spec.id]
            assert (after.landed, after.declined) == (None, False)

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()


@pytest.mark.parametrize(("branch", "more"), [("spec/carts", True), ("main", False)])
def test_work_that_lands_on_the_branch_of_a_spec_after_that_has_landed_is_to_land_too(tmp_path, branch, more):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            slug = await daemons.new()
            await daemons.inside.ask("spec_run", id=slug, last="explore")
            run = await daemons.begun("explore")
            specs, landed = daemons.inside.app.engine.specs, LandedWork("main", "a", "b")
            spec = specs.registry.change(specs.id_of(slug), branch="spec/carts", landed=landed)
            quest = daemons.inside.app.quest_registry.live[run.partition(".")[0]]
            late = replace(quest, queue=replace(quest.queue, landed=LandedWork(branch, "b", "c")))
            specs.on_quest_end(QuestEnded(late))
            assert specs.registry.all[spec.id].landed == (None if more else landed)

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()
