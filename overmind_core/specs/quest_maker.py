"""Makes the quests of a spec, with the agent that was given when the spec was created."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.plans.blueprint import MOST_RETRIES
from overmind_core.errors import OvermindError
from overmind_core.missions.validate import MAX_LABELS
from overmind_core.quests import requests
from overmind_core.quests.intake import QuestOrigin, provider_and_command
from overmind_core.quests.store import StoredWork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.kernel.config import Settings
    from overmind_core.quests.intake import QueuedWork
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.requests import NewQuest, QuestAdd
    from overmind_core.quests.store import WorkTable

ATTEMPT = "overmind_core.cli.specs.attempt"
"""The program that waits while the swarm does an attempt: its words are the repository, a branch, and `OWN`."""
OWN = "own"
"""Says that the branch is the spec's own: its work begins and lands there."""
TYPE = "type"
"""Label with the type of a quest's work, by which outcomes are compared; see learning."""
LONGEST_TYPE = 40
"""Characters."""
_KEPT = ("title", "brief", "name", "ref", "needs", "priority", "owns", "check", "into", "verify", "estimate", "group",
         "labels")  # fmt: skip
"""Fields of a quest that are told of it here, too, where the swarm does it."""
_KEY = 8
"""Random bytes."""


class SpecAgent(msgspec.Struct, frozen=True):
    """The agent and the environment of a spec's quests, stored until the spec is archived."""

    start: requests.NewQuest
    """Command, provider and policy of each of them."""
    umask: int = 0o022
    shared: str = ""
    """Owner of the environment; "" once that is forgotten."""


class QuestMaker:
    """Makes quests of specs. Used from the event loop's thread only."""

    def __init__(
        self, *, quests: QuestRegistry, changes: QueueChanges, settings: Settings, work_table: WorkTable
    ) -> None:
        self._quests = quests
        self._changes = changes
        self._settings = settings
        self._work_table = work_table

    async def prepare(self, spec: Spec, quests: Sequence[dict[str, Any]], *, feedback: str = "") -> list[QueuedWork]:
        """Validate quests that are to be added, each given by its own fields; nothing is recorded.

        Raises:
            OvermindError: the reason; `gone`: the spec is archived.
        """
        agent = self.agent(spec)
        request = quest_request(spec, agent, self.environment(agent), quests)
        origin = origin_of(spec, feedback)
        if spec.placement is not None:
            waiting = [_waiting_quest(spec, agent.start, fields) for fields in quests]
            request, origin = msgspec.structs.replace(request, quests=waiting), origin._replace(elsewhere=True)
        return await self._changes.prepare(request, origin)

    def posted(self, spec: Spec, quest: Quest, *, retries: int) -> dict[str, Any]:
        """Return the fields of a new quest by which a hive of the swarm does an attempt of this one.

        Raises:
            OvermindError: `gone`; `invalid`, nothing does it.
        """
        goal = quest.goal
        assert goal is not None
        start = self.agent(spec).start
        provider, _ = provider_and_command(start.provider, start.command, self._settings)
        fields = {
            "title": goal.title,
            "brief": goal.brief,
            "priority": goal.priority.value,
            "owns": list(goal.owns),
            "check": quest.check,
            "into": goal.into,
            "verify": goal.verify,
            "estimate": None if goal.estimate is None else goal.estimate * 1000,
            "group": goal.group,
        }
        work = start.command or (self._settings.queue.agent if provider == RAW else "")
        stored = self._quests.work(quest.id)
        labels = start.labels if stored is None else dict(stored.definition.labels)
        new = msgspec.structs.replace(start, **fields, labels=labels, retries=retries)
        given = {name: value for name, value in msgspec.to_builtins(new).items() if value not in (None, "", [], {})}
        return {**given, "provider": provider, "retries": retries, **({"command": work} if work else {})}

    def enqueue(self, spec: Spec, made: Sequence[QueuedWork]) -> None:
        """Queue quests that `prepare` has returned, in the current commit."""
        environment = self.environment(self.agent(spec))
        self._quests.enqueue([(one.quest, one.work) for one in made], {one.work.shared: environment for one in made})

    def work(self, spec: Spec) -> StoredWork | None:
        """The command or agent of a spec's quests, for reported quests; None: no longer known."""
        try:
            agent = self.agent(spec)
            start = quest_request(spec, agent, {}, [{"title": spec.title, "command": agent.start.command}]).quests[0]
            provider, command = provider_and_command(start.provider, start.command, self._settings)
        except OvermindError:
            return None
        start = msgspec.structs.replace(
            start,
            provider=provider,
            command=command or spec.title,
            cwd=folder_of(spec),
            env=self.environment(agent),  # it may name the program
            backoff=self._settings.queue.backoff * 1000 if start.backoff == "" else start.backoff,
        )
        made = spec_of(start, self._settings, name="quest")
        return StoredWork(made.definition, made.agent, made.isolate, made.base, made.environment.chosen, agent.shared)

    async def check(self, spec: Spec, agent: SpecAgent, environment: dict[str, str]) -> None:
        """Check that an agent could do the quests of a spec that is not recorded yet; raises as `prepare`."""
        first = {"name": "explore", "title": spec.title}
        await self._changes.prepare(quest_request(spec, agent, environment, [first]), origin_of(spec))

    def agent(self, spec: Spec) -> SpecAgent:
        """The stored agent of its quests; raises as `prepare`."""
        stored = self._work_table.get(spec.id)
        if stored is None:
            raise OvermindError("gone", f"The agent of spec {spec.slug} is no longer known.")
        return msgspec.json.decode(stored, type=SpecAgent)

    def environment(self, agent: SpecAgent) -> dict[str, str]:
        """The environment of its quests."""
        stored = self._work_table.get(agent.shared)
        found: dict[str, str] = {} if stored is None else json.loads(stored)
        return found

    def save_agent(self, spec_id: str, agent: SpecAgent, environment: dict[str, str]) -> None:
        """Store the agent of a spec's quests, inside of a transaction."""
        if agent.shared:
            self._work_table.save(agent.shared, msgspec.json.encode(environment).decode())
        self._work_table.save(spec_id, msgspec.json.encode(agent).decode())


def quest_request(
    spec: Spec, agent: SpecAgent, environment: dict[str, str], quests: Sequence[dict[str, Any]]
) -> QuestAdd:
    """Return the request by which a person would add quests of a spec."""
    return requests.QuestAdd(
        quests=[new_quest(spec, agent.start, fields) for fields in quests],
        cwd=folder_of(spec),
        env=environment,
        umask=agent.umask,
        request=f"spec:{spec.id}:{os.urandom(_KEY).hex()}",
    )


def folder_of(spec: Spec) -> str:
    """Return the working folder of a spec's quests: the top of the checkout, else the folder that has `.overmind`."""
    return spec.repository or spec.folder.rpartition("/.overmind/")[0] or "/"


def origin_of(spec: Spec, feedback: str = "") -> QuestOrigin:
    """Return the origin of a spec's quests."""
    return QuestOrigin(prefix=f"{spec.slug}/", spec=spec.id, feedback=feedback)


def _waiting_quest(spec: Spec, start: NewQuest, fields: dict[str, Any]) -> NewQuest:
    """Return a quest of a spec whose attempts the swarm does: its own work is to wait for that."""
    whole = new_quest(spec, start, fields)
    own = spec.branch is not None and whole.into == spec.branch
    branch = spec.branch if own else spec.base
    command = [sys.executable, "-P", "-m", ATTEMPT, spec.repository or "", branch or "", *([OWN] if own else [])]
    given: dict[str, Any] = {name: getattr(whole, name) for name in _KEPT}
    retries = 0 if own else whole.retries  # of a task the hive that does it tries again
    return requests.NewQuest(**given, command=command, provider=RAW, isolate=False, retries=retries)


def new_quest(spec: Spec, start: NewQuest, fields: dict[str, Any]) -> NewQuest:
    """Return a quest of a spec with its agent and these fields; `type` among them becomes a label."""
    isolated = {"isolate": True, "base": spec.base} if spec.repository is not None else {"isolate": False}
    given = {name: value for name, value in fields.items() if name != TYPE}
    labels = start.labels
    if fields.get(TYPE) and len(labels) < MAX_LABELS:
        labels = {TYPE: fields[TYPE][:LONGEST_TYPE], **labels}
    retries = min(spec.retries, MOST_RETRIES)  # one of an earlier version may have more
    return msgspec.structs.replace(start, **{**isolated, "retries": retries, "labels": labels, **given})
