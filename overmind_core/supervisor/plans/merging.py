"""An agent that lands what others of its plan have done: our own command line, as a process of the plan."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import msgspec

from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.domain.plan.blueprint import Merge
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.plans.pipeline import Pipeline
    from overmind_core.supervisor.requests import Start


async def merging(core: Supervisor, pipeline: Pipeline, merge: Merge, request: Start) -> Start:
    """The request with the command that lands the newest attempts of these agents, once nothing of them runs any more.

    Raises:
        OvermindError: `gone`, one of them never ran.
    """
    missions: dict[str, str] = {}
    for name in merge.agents:
        node = pipeline.nodes.get(name)
        if node is None or node.mission is None:
            raise OvermindError("gone", f"{name} has not run, so it has nothing that could be merged.")
        missions[name] = node.mission
    await core.isolation.calm(missions.values())
    words = [f"{name}={mission}" for name, mission in missions.items()]
    command = [*_program(), "merge-step", "--plan", pipeline.blueprint.name, *_options(merge), *words]
    return msgspec.structs.replace(request, command=command, isolate=False)


def _program() -> tuple[str, ...]:
    """The command line that belongs to this supervisor."""
    beside = os.path.join(os.path.dirname(sys.executable), "overmind")
    if os.access(beside, os.X_OK):
        return (beside,)
    return (sys.executable, "-P", "-m", "overmind_core.cli")


def _options(merge: Merge) -> Iterator[str]:
    for name in ("into", "verify"):
        if (value := getattr(merge, name)) is not None:
            yield from (f"--{name}", value)
    for name in ("squash", "rebase"):
        if getattr(merge, name):
            yield f"--{name}"
