"""The project's set-up commands as a run of the mission, so that its log has what they write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.agent import RAW
from overmind_core.domain.facts import SetUpAsked
from overmind_core.domain.mission import Kind, Status
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_core.domain.isolation.record import Isolation
    from overmind_core.domain.mission import Definition
    from overmind_core.supervisor.isolation.isolations import Isolations

SCRIPT = 'for command; do printf "$ %s\\n" "$command"; /bin/sh -c "$command" || exit; done'


def set_up(definition: Definition, isolation: Isolation) -> Definition:
    """What runs instead of the work: each command after the other, at the top of the project, until one fails."""
    return replace(
        definition,
        argv=("/bin/sh", "-c", SCRIPT, "setup", *isolation.project.setup),
        cwd=isolation.worktree or isolation.source,
        kind=Kind.TASK,
        provider=RAW,
        interactive=False,
        tty=True,
    )


class SetUp:
    """The step of one mission. The keeper has the commands: they outlive the supervisor that began them."""

    def __init__(self, isolations: Isolations, mission: str) -> None:
        self._isolations = isolations
        self._book = isolations.core.book
        self._mission = mission

    async def holds(self, service: str) -> bool:
        """Whether they have succeeded in this worktree."""
        del service
        mission = self._book.live.get(self._mission)
        return mission is not None and mission.set_up

    async def take(self, service: str) -> None:
        """Run them to their end."""
        del service
        mission = self._book.live.get(self._mission)
        if mission is not None and mission.status is Status.PREPARING and not (mission.setup or mission.set_up):
            self._book.tell(mission, SetUpAsked(), urgent=True)
        after = await self._book.until(self._mission, lambda now: not now.setup)
        if not (after.is_live and after.set_up):
            name = after.definition.name
            told = f"the project's set-up failed. See its output with: overmind logs {name}"
            raise OvermindError("setup_failed", told)

    async def undo(self, service: str) -> None:
        """Wait until they have ended: what they made goes with the worktree."""
        del service
        if self._mission in self._book.live:
            await self._book.until(self._mission, lambda now: not now.setup)

    def text(self, service: str) -> str:
        """For people."""
        del service
        commands = self._isolations.records[self._mission].project.setup
        return f"setting up: {'; '.join(commands)}"[:120]
