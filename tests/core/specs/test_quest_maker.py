"""The quests of a spec: who does their work, and what becomes of it once one of them has failed."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from overmind_core.domain.quests.quest import LandedWork
from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.spec import AGENT_PHASES, PhaseName
from overmind_core.errors import OvermindError
from tests.kit import in_process
from tests.kit.in_process import idle, world
from tests.kit.spec_daemons import Daemons
from tests.kit.spec_documents import WHOLE, tasks, write_documents

NAMED = {"OVERMIND_CLAUDE_BIN": "/bin/sh"}


@pytest.mark.parametrize("given", [{"env": world() | NAMED}, {"env": world(), "env_set": NAMED}])
def test_what_is_reported_is_done_by_the_program_that_the_environment_of_the_spec_names(tmp_path, given):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            slug = await daemons.new(provider="claude", command="", **given)
            specs = daemons.inside.app.engine.specs
            spec = specs.registry.all[specs.id_of(slug)]
            reported = specs.parts.maker.work(spec)
            await daemons.inside.ask("spec_run", id=slug)
            (explore,) = [row["id"] for row in await daemons.inside.ask("quests")]
            own = daemons.inside.app.quest_registry.work(explore)
            return [None if one is None or one.agent is None else one.agent.program for one in (reported, own)]

    try:
        assert in_process.run(scenario()) == ["/bin/sh", "/bin/sh"]
    finally:
        daemons.keeper.close()


BY_HAND = {"check": None, "no_check_because": "it is done by hand"}


def one_task():
    """The document of a single task."""
    value = tasks({**BY_HAND, "requirements": ["REQ-CART-001", "REQ-CART-002"]})
    return {**value, "tasks": value["tasks"][:1]}


@asynccontextmanager
async def first_task_runs(tmp_path, value):
    """A daemon with a spec that has these tasks, of which the first runs, each once; and that run."""
    daemons = Daemons(tmp_path)
    try:
        async with daemons.one():
            slug = await daemons.new(gates="none", retries=0)
            folder = (await daemons.inside.ask("spec", id=slug))["folder"]
            write_documents(folder, {**{phase: WHOLE[phase] for phase in AGENT_PHASES}, PhaseName.TASKS: value})
            await daemons.inside.ask("spec_run", id=slug)
            yield daemons, await daemons.begun("TSK-001")
    finally:
        daemons.keeper.close()


async def fails(daemons, run):
    """The first task, once it has failed."""
    daemons.keeper.exit(run, 1)
    while (quest := await daemons.inside.ask("quest", id="carts/TSK-001"))["status"] != "failed":
        await idle()
    await idle()
    return quest


def test_a_failed_task_that_was_removed_and_made_anew_counts_no_more(tmp_path):
    async def scenario():
        async with first_task_runs(tmp_path, one_task()) as (daemons, run):
            ask = daemons.inside.ask
            await ask("rm", id=(await fails(daemons, run))["id"])
            assert (await ask("spec_sync", id="carts"))["created"] == 1
            daemons.keeper.exit(await daemons.begun("TSK-001"))
            while "completed" not in (spec := await ask("spec", id="carts"))["tasks"]:
                await idle()
            assert (spec["state"], spec["tasks"], spec["reported"]) == ("done", {"completed": 1}, {})
            assert spec["waits"] == []

    in_process.run(scenario())


def test_a_cancelled_task_needs_the_one_that_was_made_anew(tmp_path):
    async def scenario():
        async with first_task_runs(tmp_path, tasks(BY_HAND, BY_HAND)) as (daemons, run):
            ask, quests = daemons.inside.ask, daemons.inside.app.quest_registry
            failed, second = await fails(daemons, run), await ask("quest", id="carts/TSK-002")
            await ask("quest_cancel", id=second["id"])
            await ask("rm", id=failed["id"])
            synced = await ask("spec_sync", id="carts")
            assert (synced["created"], synced["skipped"]) == (1, 1)
            anew = (await daemons.begun("TSK-001")).partition(".")[0]
            assert quests.get(second["id"]).goal.needs == (anew,)
            assert anew != failed["id"]

    in_process.run(scenario())


def test_a_failed_task_whose_work_a_person_has_landed_is_not_done_again(tmp_path):
    async def scenario():
        async with first_task_runs(tmp_path, one_task()) as (daemons, run):
            quests, failed = daemons.inside.app.quest_registry, await fails(daemons, run)
            quest = quests.get(failed["id"])
            quests.amend(replace(quest, queue=replace(quest.queue, landed=LandedWork("spec/carts", "a", "b"))))
            synced = await daemons.inside.ask("spec_sync", id="carts", dry_run=True)
            assert (synced["created"], synced["skipped"]) == (0, 1)
            folder = (await daemons.inside.ask("spec", id="carts"))["folder"]
            value = one_task()
            value["tasks"][0]["title"] = "Write it otherwise"
            write_documents(folder, {PhaseName.TASKS: value})
            synced = await daemons.inside.ask("spec_sync", id="carts", dry_run=True)
            assert (synced["updated"], synced["conflicts"]) == (0, 1)

    in_process.run(scenario())


def test_no_task_of_an_archived_spec_is_synced(tmp_path):
    async def scenario():
        async with first_task_runs(tmp_path, one_task()) as (daemons, _run):
            await daemons.inside.ask("spec_archive", id="carts")
            for dry_run in (True, False):
                with pytest.raises(OvermindError) as refused:
                    await daemons.inside.ask("spec_sync", id="carts", dry_run=dry_run)
                assert refused.value.code == "gone"

    in_process.run(scenario())


def test_of_an_archived_spec_nobody_is_asked_about_a_task_that_fails_then(tmp_path):
    async def scenario():
        async with first_task_runs(tmp_path, one_task()) as (daemons, run):
            await daemons.inside.ask("spec_archive", id="carts")
            await fails(daemons, run)
            assert await daemons.inside.ask("inbox") == []

    in_process.run(scenario())
