"""What each step of a preparation does, how it is seen to hold, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from overmind_core.domain.isolation.saga import SagaStep, StepKind
from overmind_core.isolation.steps.containers import Containers, Images
from overmind_core.isolation.steps.readiness import Readiness
from overmind_core.isolation.steps.services import Services, SetUp
from overmind_core.isolation.steps.worktree import FilesStep, Worktree

if TYPE_CHECKING:
    import asyncio

    from overmind_core.isolation.workspace import Workspace


class StepExecutor(Protocol):
    """One kind of step of one mission. Every method raises OvermindError for what a person can understand."""

    async def holds(self, service: str) -> bool:
        """Whether there is nothing to do."""
        ...

    async def take(self, service: str) -> None:
        """Do it; half of it may have been done before."""
        ...

    async def undo(self, service: str) -> None:
        """TakeStep it away, however far it came."""
        ...

    def text(self, service: str) -> str:
        """What is going on, for people."""
        ...


class StepExecutors:
    """The steps of one mission."""

    def __init__(self, workspace: Workspace, mission: str, unwanted: asyncio.Event) -> None:
        self._doers: Mapping[StepKind, StepExecutor] = {
            StepKind.WORKTREE: Worktree(workspace, mission),
            StepKind.FILES: FilesStep(workspace, mission),
            StepKind.IMAGE: Images(workspace, mission, unwanted),
            StepKind.CONTAINER: Containers(workspace, mission, unwanted),
            StepKind.SETUP: SetUp(workspace, mission),
            StepKind.SERVICE: Services(workspace, mission),
            StepKind.READY: Readiness(workspace, mission, unwanted),
        }

    async def holds(self, step: SagaStep) -> bool:
        """Whether nothing has to be done."""
        return await self._doers[step.act].holds(step.service)

    async def take(self, step: SagaStep) -> None:
        """Do the step.

        Raises:
            OvermindError: it can't be done.
        """
        await self._doers[step.act].take(step.service)

    async def undo(self, step: SagaStep) -> None:
        """UndoStep the step.

        Raises:
            OvermindError: it can't be undone now.
        """
        await self._doers[step.act].undo(step.service)

    def text(self, step: SagaStep) -> str:
        """What the step is, for people."""
        return self._doers[step.act].text(step.service)
