"""Conflicts handed to an agent: whose ended one is started again, and when the message is read."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.actor import PERSON
from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.conversation import Conversation
from overmind_core.domain.missions.mission import Kind, Status
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import acts
from overmind_core.landing.resolving import ConflictResolving
from overmind_core.view import landing as view

RED = "a1b2c3d4"
HEADLESS, INTERACTIVE = AgentMode.HEADLESS, AgentMode.INTERACTIVE
PLANNED = OvermindError("not_finished", "It is part of the plan release, which is still running.")


class Handing:
    """A session whose work conflicts, and what was done about that."""

    def __init__(self, status, *, refusal=None, mode=HEADLESS):
        definition = SimpleNamespace(kind=Kind.SESSION, provider="claude")
        self.mission = SimpleNamespace(id=RED, status=status, definition=definition)
        self.mission.is_live = status is not Status.STOPPED
        self.done: list[str] = []
        self._refusal = refusal
        session = SimpleNamespace(state=Conversation("s", HEADLESS, mode, mode))
        registry: Any = SimpleNamespace(get=lambda _: self.mission, until=self._until)
        locations: Any = SimpleNamespace(run=self._begin)
        agents: Any = SimpleNamespace(of=lambda _: session)
        submission: Any = SimpleNamespace(knows=lambda _: False, submit=self._submit)
        restarts: Any = SimpleNamespace(restart=self._restart)
        environments: Any = SimpleNamespace(renew=lambda _, session: self.done.append(f"renewed {session}"))
        self.resolving = ConflictResolving(
            registry=registry,
            locations=locations,
            agents=agents,
            submission=submission,
            restarts=restarts,
            environments=environments,
            check_restart=self._check_restart,
        )

    def _check_restart(self, _mission):
        if self._refusal is not None:
            raise self._refusal

    async def _begin(self, *_arguments):
        self.done.append("begun")
        return ["a"]

    async def _restart(self, mission):
        self.done.append("started")
        return mission

    async def _until(self, _mission, _holds):
        """It runs."""

    async def _submit(self, _mission, _text, **_how):
        self.done.append("sent")
        return 5

    def hand_over(self, inside=None, by="mission:b2c3d4e5"):
        async def asked():
            acts(lambda: by)
            return await self.resolving.hand_over(place, "main", "key", inside=inside, session={"DISPLAY": ":9"})

        place: Any = SimpleNamespace(mission=RED, name="red", folder="/w/red")
        return asyncio.run(asked())


@pytest.mark.parametrize(
    ("inside", "refusal", "code"),
    [(None, PLANNED, "not_finished"), ("b2c3d4e5", None, "forbidden")],
    ids=["planned", "inside"],
)
def test_one_that_has_ended_is_not_started_where_a_restart_is_refused_and_nothing_has_begun(inside, refusal, code):
    ended = Handing(Status.STOPPED, refusal=refusal)
    assert not ended.resolving.takes_work(RED, inside=inside), "nor is that offered"
    with pytest.raises(OvermindError) as refused:
        ended.hand_over(inside)
    assert (refused.value.code, ended.done) == (code, [])
    live = Handing(Status.RUNNING, refusal=refusal)
    assert live.resolving.takes_work(RED, inside=inside)
    live.hand_over(inside)
    assert live.done == ["begun", "sent"]


@pytest.mark.parametrize(
    ("status", "by", "done"),
    [
        (Status.STOPPED, PERSON, ["begun", "renewed {'DISPLAY': ':9'}", "started", "sent"]),
        (Status.STOPPED, "web:phone", ["begun", "started", "sent"]),
        (Status.RUNNING, PERSON, ["begun", "sent"]),
    ],
    ids=["a person", "a browser", "one that runs"],
)
def test_one_that_is_started_again_finds_the_session_of_the_person_who_asks(status, by, done):
    handing = Handing(status)
    handing.hand_over(by=by)
    assert handing.done == done


def test_a_person_has_one_that_has_ended_started_again():
    ended = Handing(Status.STOPPED)
    assert ended.resolving.takes_work(RED, inside=None)
    assert ended.hand_over()["restarted"]
    assert ended.done == ["begun", "started", "sent"]


@pytest.mark.parametrize(
    ("status", "mode", "waits_for", "said"),
    [
        (Status.RUNNING, HEADLESS, None, "red resolves 1 file: land it when it has committed"),
        (Status.PAUSED, HEADLESS, "thaw", "red resolves 1 file once it is thawed: land it when it has committed"),
        (Status.RUNNING, INTERACTIVE, "terminal",
         "red resolves 1 file once its terminal is given back: land it when it has committed"),
    ],
    ids=["idle", "frozen", "in a terminal"],
)  # fmt: skip
def test_a_message_that_waits_for_a_person_says_so(status, mode, waits_for, said):
    answer = Handing(status, mode=mode).hand_over()
    assert (answer["waits_for"], view.resolving(answer)) == (waits_for, said)
