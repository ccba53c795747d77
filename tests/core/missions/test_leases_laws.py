"""The law of leases: whatever happens, nothing of a mission runs behind the end of its lease as its owner knows it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.missions.mission import FINAL, Definition, Restart, RestartPolicy, Status
from overmind_core.errors import OvermindError
from overmind_core.missions.leases import SLACK
from overmind_core.missions.spec import Environment, MissionSpec
from overmind_core.system.paths import Home
from tests.kit import in_process, torture
from tests.kit.in_process import ScriptedKeeper, idle, supervising, world

NAMES = ("one", "two", "three")
LEASES = st.floats(0.5, 20.0)
ACTS = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(NAMES), LEASES),
    st.tuples(st.just("renew"), st.sampled_from(NAMES), LEASES),
    st.tuples(st.just("renew"), st.sampled_from(NAMES), LEASES),
    st.tuples(st.just("release"), st.sampled_from(NAMES), st.just(0.0)),
    st.tuples(st.just("child"), st.sampled_from(NAMES), st.just(0.0)),
    st.tuples(st.just("exit"), st.sampled_from(NAMES), st.just(0.0)),
    st.tuples(st.just("stop"), st.sampled_from(NAMES), st.just(0.0)),
    st.tuples(st.just("wait"), st.just(""), st.floats(0.1, 15.0)),
    st.tuples(st.just("crash"), st.just(""), st.floats(0.0, 5.0)),
)
STEP = 0.25
"""Seconds between two looks of the keeper and of the law."""


class Story:
    """One home, its keeper and supervisors, and what the owner of the leases wants."""

    def __init__(self, home):
        self.home = home
        self.keeper = ScriptedKeeper(home)
        self.keeper.on_ask["purge"] = self._purged
        self.ids = {}
        self.wishes = {}
        """Mission → the end of its lease, as its owner set it last."""
        self.parents = {}
        self.inside: Any = None
        self._stack = AsyncExitStack()

    async def supervise(self):
        """A supervisor, once the one before has gone."""
        self.inside = await self._stack.enter_async_context(supervising(self.home, self.keeper))

    async def crash(self, seconds):
        """The supervisor is killed, and the next one comes after so many seconds."""
        self.inside.app.journal.flush()
        await self._stack.aclose()
        await self.pass_time(seconds)
        await self.supervise()

    async def close(self):
        await self._stack.aclose()
        self.keeper.close()

    def now(self):
        return asyncio.get_running_loop().time()

    async def act(self, word, name, number):
        leases, mission = self.inside.app.leases, self.ids.get(name)
        until = self.now() + number
        if word == "start" and (mission is None or self._status(mission) in FINAL):
            policy = RestartPolicy(Restart.ALWAYS, max_restarts=0, backoff=1.0)
            definition = Definition(
                f"{name}{len(self.parents)}", "work", ("/bin/sh", "-c", "work"), "/", restart=policy
            )
            spec = MissionSpec(definition, Environment(world(), {}), leased_until=until)
            mission = self.ids[name] = (await self.inside.app.missions.start(spec)).mission.id
            self.wishes[mission], self.parents[mission] = until, None
        elif mission is None:
            return
        elif word == "renew" and self.wishes.get(mission, 0.0) > self.now():
            self.wishes[mission] = until
            leases.renew({mission: until})
        elif word == "release" and self.wishes.get(mission, 0.0) > self.now():
            del self.wishes[mission]
            leases.release([mission])
        elif word == "child" and self._status(mission) not in FINAL:
            await self._child(mission)
        elif word == "exit" and (run := self._alive(mission)) is not None:
            self.keeper.exit(run, 1)
        elif word == "stop" and self._status(mission) not in FINAL:
            await self.inside.ask("stop", id=mission, grace=0.0)
            if self.inside.app.registry.get(mission).reason != "fenced":
                self.wishes.pop(mission, None)

    async def pass_time(self, seconds):
        """Let time pass: the keeper ends what is due, and the law is looked at."""
        end = self.now() + seconds
        while self.now() < end:
            await asyncio.sleep(min(STEP, end - self.now()))
            for run, row in list(self.keeper.held.items()):
                if row["exit"] is None and row["lease"] is not None and row["lease"] <= self.now():
                    self.keeper.fence(run)
            await idle()
            self.look()

    def look(self):
        """The law."""
        for run, row in self.keeper.held.items():
            until = self.end_of(run.partition(".")[0])
            if row["exit"] is None and until is not None:
                assert row["lease"] is not None, f"{run} has no lease"
                assert row["lease"] <= until, f"{run} may run on for too long"
                assert self.now() <= until + SLACK + STEP, f"{run} runs on"
            if until is not None:
                assert row["mono"] <= until, f"{run} was started behind the end of its lease"

    def end_of(self, mission):
        """The end of the lease of a mission, its own or what it was lent, as the owners know it."""
        ends = []
        while mission is not None:
            ends += [self.wishes[mission]] if mission in self.wishes else []
            mission = self.parents[mission]
        return min(ends, default=None)

    async def _child(self, mission):
        try:
            child = await self.inside.run("child", parent=mission, restart="always")
        except OvermindError:
            return  # its parent is being ended
        self.parents[child] = mission

    def _status(self, mission):
        return self.inside.app.registry.get(mission).status

    def _alive(self, mission):
        runs = [run for run, row in self.keeper.held.items() if run.startswith(f"{mission}.") and row["exit"] is None]
        return runs[-1] if runs else None

    def _purged(self, fields):
        if self.keeper.held[fields["run"]]["exit"] is None:
            self.keeper.exit(fields["run"], -9)


@settings(max_examples=torture.examples(80), deadline=None)
@given(acts=st.lists(ACTS, max_size=25))
def test_nothing_runs_behind_the_end_of_its_lease(tmp_path_factory, acts):
    async def whole():
        story = Story(Home(str(tmp_path_factory.mktemp("home"))))
        await story.supervise()
        for word, name, number in acts:
            if word == "crash":
                await story.crash(number)
            elif word == "wait":
                await story.pass_time(number)
            else:
                await story.act(word, name, number)
            await idle()
            story.look()
        await story.pass_time(25.0)
        for mission, until in story.wishes.items():
            ended = story.inside.app.registry.get(mission)
            assert until <= story.now()
            assert ended.status is Status.KILLED, "its policy would have started it for ever"
            assert ended.reason in {"fenced", None}
        await story.close()

    in_process.run(whole())
