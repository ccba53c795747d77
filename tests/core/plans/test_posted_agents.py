"""Agents of a plan that are posts of a swarm: whoever dies when, each attempt is posted once, and its end is heard."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from overmind_core.daemon import app
from overmind_core.domain.plans.blueprint import Blueprint, PlanAgent
from overmind_core.domain.plans.diff import difference
from overmind_core.domain.plans.progress import BEHIND, AgentStage
from overmind_core.errors import OvermindError
from overmind_core.plans.ports import GONE, NewPost, PostEnd, PostView
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.mortal import Mortal, at_each_commit


class ScriptedSwarm:
    """A swarm that outlives supervisors: its posts are rows, and go one step on with each look.

    Attributes:
        posted: How often each post was made.
        runs: What each was made of.
        views: How each stands.
        ends: How those of an agent end; else well, with a result.
        cancelled: Those that were to end.
        error: What all that is asked gets for an answer.
        refused: How often it was that.
        looks: How often it was asked how posts stand.
    """

    def __init__(self) -> None:
        self.posted: Counter[str] = Counter()
        self.runs: dict[str, NewPost] = {}
        self.views: dict[str, PostView] = {}
        self.ends: dict[str, PostEnd] = {}
        self.cancelled: list[str] = []
        self.error: OvermindError | None = None
        self.refused = self.looks = 0
        self.settles = False
        """Hives have not told yet what they hold: one that is not there may come back."""
        self.is_still = False
        """Hives are silent."""
        self.waits = False
        """No hive takes any."""
        self.holds = False
        """No post ends by itself."""

    def prefix(self) -> str:
        return "here"

    async def check(self) -> None:
        self._answer()

    async def post(self, post: NewPost) -> None:
        self._answer()
        if post.id in self.views:
            assert self.runs[post.id] == post, "the swarm refuses another definition"
            return
        self.posted[post.agent] += 1
        self.runs[post.id], self.views[post.id] = post, PostView("queued")

    async def look(self, posts: Collection[str]) -> Mapping[str, PostView]:
        self._answer()
        for post in posts:
            self._step(post)
        self.looks += 1
        gone = {} if self.settles else {one: PostView(GONE) for one in posts}
        return gone | {one: self.views[one] for one in posts if one in self.views}

    async def cancel(self, post: str) -> str:
        self._answer()
        self.cancelled.append(post)
        view = self.views.get(post)
        if view is None:
            return GONE
        if view.state == "queued":
            self.views[post] = PostView("cancelled")
        elif not view.is_over:
            self.views[post] = PostView("claimed", "eu1", "stopping", is_ending=True)
        return "cancelling"

    async def end_of(self, post: str) -> PostEnd:
        self._answer()
        if self.views[post].state == "cancelled":
            return PostEnd("cancelled")
        return self.ends.get(self.runs[post].agent) or PostEnd("done", 0, result="there", output="its log\n")

    def _answer(self) -> None:
        if self.error is not None:
            self.refused += 1
            raise self.error

    def _step(self, post: str) -> None:
        view = self.views.get(post)
        if view is None or view.is_over or self.is_still:
            return
        if view.is_ending:
            self.views[post] = PostView("cancelled", "eu1", "cancelled")
        elif view.state == "queued" and not self.waits:
            self.views[post] = PostView("claimed", "eu1", "running")
        elif view.state == "queued":
            return
        elif not self.holds:
            end = self.ends.get(self.runs[post].agent)
            self.views[post] = PostView("done" if end is None else end.state, "eu1", "done")


@contextmanager
def swarm_of(swarm: ScriptedSwarm):
    """Supervisors in the block post there."""
    with mock.patch.object(app, "PlanPosts", return_value=swarm):
        yield


def agent(name: str, *needs: str, command: str = "true", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "start": {"command": command, "cwd": "" if "on" in more else "/"},
        "depends_on": [{"agent": one} for one in needs],
        **more,
    }


CHAIN = [
    agent("a"),
    agent("b", "a", command="echo ${agents.a.exit_code}", on={}),
    agent("c", "b", command="echo ${agents.b.result} ${agents.b.output}"),
    agent("d", "c", on={"gpu": "yes"}, cpu=2.0, memory=1000),
]
ONE = [agent("there", on={})]


def plan(agents: list[dict[str, Any]], **how: Any) -> dict[str, Any]:
    return {"blueprint": {"name": "p", "agents": agents, **how}, "cwd": "/", "env": world(), "request": "once"}


def ends_what_it_starts(keeper: ScriptedKeeper) -> None:
    def end(fields: dict[str, Any]) -> None:
        asyncio.get_running_loop().call_soon(keeper.exit, fields["run"])

    keeper.on_ask["spawn"] = end


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "homes")


def played(folder: str, swarm: ScriptedSwarm, play: Any) -> None:
    """Run a story in a supervisor whose runs end at once."""

    async def whole() -> None:
        keeper = ScriptedKeeper(Home(folder))
        ends_what_it_starts(keeper)
        async with supervising(Home(folder), keeper) as inside:
            await play(inside)
        keeper.close()

    with swarm_of(swarm):
        in_process.run(whole())


async def agents_of(inside: Any, plan_id: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in (await inside.ask("plan", id=plan_id))["agents"]}


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_each_attempt_is_posted_once_whichever_of_the_commits_a_supervisor_dies_at(folder, saved):
    async def dies(at: int) -> bool:
        home, swarm = Home(f"{folder}/{at}"), ScriptedSwarm()
        keeper = ScriptedKeeper(home)
        ends_what_it_starts(keeper)
        request = plan(CHAIN)
        with swarm_of(swarm):
            async with supervising(home, keeper) as first:
                mortal = Mortal(first.app, at, saved=saved)
                asked = asyncio.create_task(first.ask("apply", **request))
                await until(lambda: mortal.dead or (asked.done() and not first.app.plans.live))
                asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)
            async with supervising(home, keeper) as later:
                whole = (await later.ask("apply", **request))["id"]
                assert (await later.app.registry.ended(whole)).exit_code == 0
                found = await agents_of(later, whole)
                told = Counter(event["agent"] for event in later.events(whole) if event["type"] == "agent_ended")
        keeper.close()
        assert swarm.posted == {"b": 1, "d": 1}
        assert {name: (one["stage"], one["attempt"]) for name, one in found.items()} == dict.fromkeys(
            "abcd", ("succeeded", 1)
        )
        assert len(keeper.held) == 2, "the agents of this machine have one run each"
        assert told == Counter("abcd"), "the log tells of each end once"
        return mortal.dead

    assert in_process.run(at_each_commit(dies)) > len(CHAIN) * 2


def test_what_is_posted_has_values_and_says_what_it_needs(folder):
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = (await inside.ask("apply", **plan(CHAIN)))["id"]
        assert (await inside.app.registry.ended(whole)).exit_code == 0
        found = await agents_of(inside, whole)
        assert found["b"]["result"] == "there"
        assert found["b"]["post"] == {"id": _id(swarm, "b"), "state": "done", "hive": "eu1", "ending": False}

    played(folder, swarm, story)
    first, second = (swarm.runs[_id(swarm, name)] for name in "bd")
    assert (first.name, first.plan, first.run["env_set"]) == ("p-b", "p", {"OVERMIND_REF_1": "0"})
    assert "env" not in first.run
    assert (second.on, second.cpu, second.memory) == ({"gpu": "yes"}, 2.0, 1000)


def _id(swarm: ScriptedSwarm, name: str) -> str:
    (found,) = (post for post, one in swarm.runs.items() if one.agent == name)
    return found


def test_an_attempt_that_fails_is_posted_anew_as_often_as_the_plan_says(folder):
    swarm = ScriptedSwarm()
    swarm.ends["there"] = PostEnd("failed", 3)

    async def story(inside: Any) -> None:
        whole = (await inside.ask("apply", **plan([{**ONE[0], "retries": 2}])))["id"]
        assert (await inside.app.registry.ended(whole)).exit_code != 0
        found = (await agents_of(inside, whole))["there"]
        assert (found["stage"], found["attempt"], found["exit_code"]) == ("failed", 3, 3)

    played(folder, swarm, story)
    assert swarm.posted["there"] == len(swarm.runs) == 3


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (PostEnd("cancelled"), "stopped"),
        (PostEnd("failed", reason="hive_lost"), "hive_lost"),
        (PostEnd("done", 0, by_hand=True), "stopped"),
        (PostEnd("done", 0, problem=("output_missing", "it did not set the outputs x")), "output_missing"),
    ],
)
def test_an_end_that_is_none_of_its_own_fails_the_agent(folder, end, reason):
    swarm = ScriptedSwarm()
    swarm.ends["there"] = end

    async def story(inside: Any) -> None:
        whole = (await inside.ask("apply", **plan(ONE)))["id"]
        await inside.app.registry.ended(whole)
        found = (await agents_of(inside, whole))["there"]
        assert (found["stage"], found["reason"]) == ("failed", reason)

    played(folder, swarm, story)


def test_a_swarm_that_does_not_answer_is_asked_until_it_does(folder):
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        asked = plan(ONE)
        whole = (await inside.ask("apply", **asked))["id"]
        swarm.error = OvermindError("swarm_silent", "Nobody answers.")
        await asyncio.sleep(100)
        assert (await agents_of(inside, whole))["there"]["stage"] in {"starting", "running"}
        swarm.error = None
        assert (await inside.app.registry.ended(whole)).exit_code == 0

    played(folder, swarm, story)
    assert swarm.posted["there"] == 1


@pytest.mark.parametrize("when", ["queued", "claimed"])
def test_a_plan_that_is_stopped_has_its_posts_end_and_waits_for_that(folder, when):
    swarm = ScriptedSwarm()
    swarm.holds, swarm.waits = True, when == "queued"

    async def story(inside: Any) -> None:
        whole = (await inside.ask("apply", **plan(ONE)))["id"]
        await until(lambda: any(view.state == when for view in swarm.views.values()))
        await inside.ask("delete", id=whole)
        assert (await agents_of(inside, whole))["there"]["stage"] == "cancelled"

    played(folder, swarm, story)
    assert swarm.cancelled
    assert {view.state for view in swarm.views.values()} == {"cancelled"}


def test_a_plan_that_is_killed_ends_as_soon_as_the_swarm_knows_of_it(folder):
    swarm = ScriptedSwarm()
    swarm.holds = True

    async def story(inside: Any) -> None:
        whole = (await inside.ask("apply", **plan(ONE)))["id"]
        nodes = inside.app.plans.live[whole].nodes
        await until(lambda: nodes["there"].stage is AgentStage.RUNNING)
        swarm.is_still = True
        await inside.ask("kill", id=whole)
        assert (await agents_of(inside, whole))["there"]["stage"] == "cancelled"

    played(folder, swarm, story)
    assert [view.is_ending for view in swarm.views.values()] == [True]


NEEDS_ONE_HERE = [
    {**agent("db"), "start": {"command": "sleep 1000", "cwd": "/", "restart": "always"}},
    {**agent("there", on={}), "depends_on": [{"agent": "db", "until": "started"}]},
]
"""What is posted needs an agent of this machine, which ends after it."""
PAUSES = 5
"""Questions after which the pauses between them have grown as long as they get."""
SILENCE = OvermindError("swarm_silent", "Nobody answers.")


async def left_alone(inside: Any, swarm: ScriptedSwarm) -> str:
    """Apply that plan, and have the swarm fall silent once all of it runs; return its id."""
    swarm.holds = True
    whole: str = (await inside.ask("apply", **plan(NEEDS_ONE_HERE)))["id"]
    nodes = inside.app.plans.live[whole].nodes
    await until(lambda: all(one.stage is AgentStage.RUNNING for one in nodes.values()))
    swarm.error = SILENCE
    return whole


def played_with_services(folder: str, swarm: ScriptedSwarm, *plays: Any) -> None:
    """Run stories in supervisors that follow each other, whose runs end when they are killed."""

    async def whole() -> None:
        keeper = ScriptedKeeper(Home(folder))
        keeper.on_ask["purge"] = lambda fields: keeper.exit(fields["run"], -9)
        for play in plays:
            async with supervising(Home(folder), keeper) as inside:
                await play(inside)
        keeper.close()

    with swarm_of(swarm):
        in_process.run(whole())


def test_a_plan_that_is_to_begin_anew_does_so_once_the_swarm_answers(folder):
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = await left_alone(inside, swarm)
        with pytest.raises(OvermindError, match="p is being ended"):
            await inside.ask("restart", id=whole)
        swarm.error = None
        await inside.app.registry.until(whole, lambda mission: mission.run == 2 and mission.status == "running")
        await until(lambda: len(swarm.posted) and swarm.posted["there"] == 2)
        assert len(swarm.cancelled) == 1

    played_with_services(folder, swarm, story)


@pytest.mark.parametrize("word", ["stop", "kill"])
def test_who_ends_a_plan_is_told_that_the_swarm_does_not_answer_and_what_is_here_ends(folder, word):
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = await left_alone(inside, swarm)
        with pytest.raises(OvermindError) as refused:
            await inside.ask(word, id=whole)
        assert refused.value.code == "swarm_silent"
        assert refused.value.message == (
            "p is being ended. Nobody answers. Its agents on other hives are ended once the swarm answers."
        )
        found = await agents_of(inside, whole)
        assert {name: one["stage"] for name, one in found.items()} == {
            "db": "cancelled" if word == "stop" else "failed",
            "there": "stopping",
        }
        assert inside.app.registry.live[whole].status == "stopping"
        swarm.error = None
        ended = await inside.app.registry.ended(whole)
        assert ended.status == ("stopped" if word == "stop" else "killed")
        assert (await agents_of(inside, whole))["there"]["stage"] == "cancelled"

    played_with_services(folder, swarm, story)


def test_a_shutdown_leaves_a_plan_whose_swarm_does_not_answer_to_the_next_daemon(folder):
    swarm = ScriptedSwarm()
    plans = []

    async def story(inside: Any) -> None:
        plans.append(await left_alone(inside, swarm))
        answer = await inside.ask("shutdown")
        assert (answer["stopped"], answer["kept"], answer["stopping"]) == (1, 0, 1)
        assert answer["note"].splitlines() == [
            "p/db did not end within 10 seconds of its stop signal, so it was killed",
            (
                "The swarm does not answer, so agents of p on other hives may still run."
                " The next daemon ends them: overmind start"
            ),
        ]

    async def later(inside: Any) -> None:
        assert inside.app.registry.live[plans[0]].status == "stopping"
        swarm.error = None
        await inside.app.registry.ended(plans[0])
        found = await agents_of(inside, plans[0])
        assert {name: one["stage"] for name, one in found.items()} == dict.fromkeys(found, "cancelled")

    played_with_services(folder, swarm, story, later)
    assert swarm.posted == {"there": 1}
    assert len(swarm.cancelled) == 1


def test_a_silence_before_the_end_is_no_reason_not_to_ask(folder):
    """A plan is ended while the swarm's next look is due: nobody knows yet that it answers again."""
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = await left_alone(inside, swarm)
        await until(lambda: swarm.refused > PAUSES)
        swarm.error = None
        await inside.ask("stop", id=whole)
        assert not inside.app.registry.get(whole).is_live

    played_with_services(folder, swarm, story)
    assert len(swarm.cancelled) == 1


def test_nothing_is_left_of_an_attempt_that_is_ended_just_as_the_last_one_has_ended(folder):
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = await killed_before_its_post_has_ended(inside, swarm)
        swarm.is_still = False
        looks = swarm.looks
        await until(lambda: swarm.looks > looks)
        await inside.ask("stop", id=whole)
        assert (await agents_of(inside, whole))["there"]["stage"] == "cancelled"

    played_with_services(folder, swarm, story)
    assert all(view.is_over for view in swarm.views.values())


def test_an_attempt_waits_for_an_earlier_one_that_may_come_back(folder):
    """The database went back in time, and the hive of the earlier one has not told yet that it has it."""
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = await killed_before_its_post_has_ended(inside, swarm)
        (earlier,) = swarm.views
        forgotten = swarm.views.pop(earlier)
        swarm.settles = True
        await inside.ask("restart", id=whole)
        nodes = inside.app.plans.live[whole].nodes
        await until(lambda: nodes["there"].attempt == 3 and nodes["there"].post.state == BEHIND)
        assert nodes["there"].post.hive is None
        swarm.views[earlier], swarm.settles = forgotten, False
        await until(lambda: nodes["there"].post.hive == "eu1")
        assert swarm.posted["there"] == 1
        swarm.is_still = False
        await until(lambda: swarm.posted["there"] == 2)
        assert swarm.views[earlier].state == "cancelled"

    played_with_services(folder, swarm, story)


async def killed_before_its_post_has_ended(inside: Any, swarm: ScriptedSwarm) -> str:
    """Kill a plan whose hive does not end its post yet, and have it run anew; return its id."""
    swarm.holds = True
    whole: str = (await inside.ask("apply", **plan(ONE)))["id"]
    nodes = inside.app.plans.live[whole].nodes
    await until(lambda: nodes["there"].stage is AgentStage.RUNNING)
    swarm.is_still = True
    await inside.ask("kill", id=whole)
    await inside.ask("restart", id=whole)
    nodes = inside.app.plans.live[whole].nodes
    await until(lambda: nodes["there"].post is not None and nodes["there"].post.state == BEHIND)
    return whole


def test_an_attempt_is_posted_once_what_is_left_of_the_last_one_has_ended(folder):
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = await killed_before_its_post_has_ended(inside, swarm)
        looks = swarm.looks
        await until(lambda: swarm.looks > looks + PAUSES)
        found = (await agents_of(inside, whole))["there"]
        assert (found["stage"], found["post"]["state"], found["post"]["hive"]) == ("starting", "behind", "eu1")
        assert swarm.posted["there"] == 1

    async def later(inside: Any) -> None:
        (whole,) = inside.app.plans.live
        nodes = inside.app.plans.live[whole].nodes
        assert swarm.posted["there"] == 1
        swarm.is_still = False
        await until(lambda: nodes["there"].stage is AgentStage.RUNNING)
        assert swarm.posted["there"] == 2
        assert sorted(view.state for view in swarm.views.values()) == ["cancelled", "claimed"]

    played_with_services(folder, swarm, story, later)


@pytest.mark.parametrize("word", ["stop", "kill"])
def test_an_attempt_that_waits_for_the_end_of_the_last_one_can_be_ended(folder, word):
    swarm = ScriptedSwarm()

    async def story(inside: Any) -> None:
        whole = await killed_before_its_post_has_ended(inside, swarm)
        await inside.ask(word, id=whole)
        found = (await agents_of(inside, whole))["there"]
        assert (found["stage"], found["reason"]) == ("cancelled", "cancel")
        assert not inside.app.registry.get(whole).is_live

    played_with_services(folder, swarm, story)
    assert swarm.posted["there"] == 1


def test_a_post_of_which_the_swarm_knows_nothing_any_more_has_failed(folder):
    swarm = ScriptedSwarm()
    swarm.holds = True

    async def story(inside: Any) -> None:
        whole = (await inside.ask("apply", **plan(ONE)))["id"]
        nodes = inside.app.plans.live[whole].nodes
        await until(lambda: nodes["there"].stage is AgentStage.RUNNING)
        swarm.views.clear()
        await inside.app.registry.ended(whole)
        assert (await agents_of(inside, whole))["there"]["reason"] == "post_forgotten"

    played(folder, swarm, story)


def test_a_home_that_has_left_its_swarm_fails_what_it_has_there(folder):
    swarm = ScriptedSwarm()
    swarm.holds = True

    async def story(inside: Any) -> None:
        whole = (await inside.ask("apply", **plan(ONE)))["id"]
        nodes = inside.app.plans.live[whole].nodes
        await until(lambda: nodes["there"].stage is AgentStage.RUNNING)
        swarm.error = OvermindError("no_swarm", "This hive is in no swarm.")
        await inside.app.registry.ended(whole)
        assert (await agents_of(inside, whole))["there"]["reason"] == "no_swarm"

    played(folder, swarm, story)


def test_a_removed_agent_whose_post_is_being_made_ends_with_the_next_supervisor(folder):
    home, swarm = Home(folder), ScriptedSwarm()
    swarm.holds = True
    stays = agent("stays", "there")

    async def story() -> None:
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            whole = (await first.ask("apply", **plan([*ONE, stays])))["id"]
            await until(lambda: bool(swarm.views))
            changed = plan([agent("here")])
            await first.ask("apply", **{**changed, "request": "again"})
        async with supervising(home, keeper) as later:
            ends_what_it_starts(keeper)
            for run, row in list(keeper.held.items()):
                if row["exit"] is None:
                    keeper.exit(run)
            await later.app.registry.ended(whole)
        keeper.close()

    with swarm_of(swarm):
        in_process.run(story())
    assert {view.state for view in swarm.views.values()} == {"cancelled"}


def test_a_plan_without_a_swarm_is_refused_and_nothing_is_kept(folder):
    async def story(inside: Any) -> None:
        for dry_run in (True, False):
            with pytest.raises(OvermindError, match="overmind swarm join"):
                await inside.ask("apply", **plan(ONE), dry_run=dry_run)
        assert not inside.app.plans.live
        assert not inside.app.registry.live

    async def whole() -> None:
        keeper = ScriptedKeeper(Home(folder))
        async with supervising(Home(folder), keeper) as inside:
            await story(inside)
        keeper.close()

    in_process.run(whole())


def test_what_an_agent_says_of_the_swarm_is_part_of_what_it_is():
    before = Blueprint("p", (PlanAgent("a", {"command": "x", "cwd": ""}, on={}),))
    after = Blueprint("p", (PlanAgent("a", {"command": "x", "cwd": ""}, on={"gpu": "yes"}, cpu=1.0),))
    assert [(one.sign, one.why) for one in difference(before, after)] == [("~", ("on", "cpu"))]
