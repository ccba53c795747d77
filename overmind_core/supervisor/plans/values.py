"""What the references of an agent stand for when it starts, and where it puts what it hands on itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.supervisor.agents.files import private_folder
from overmind_core.supervisor.plans.handed import output_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.domain.plan.progress import Node
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.plans.pipeline import Pipeline
    from overmind_core.supervisor.spawner import Environment

Wanted = tuple[str, str, str]
"""Source, name and field of a reference."""


async def values(core: Supervisor, pipeline: Pipeline, wanted: Iterable[Wanted], world: Environment) -> dict[str, str]:
    """What each of these stands for now, by its text between the braces."""
    return {".".join(part for part in one if part): await _value(core, pipeline, one, world) for one in wanted}


async def _value(core: Supervisor, pipeline: Pipeline, wanted: Wanted, world: Environment) -> str:
    """One value; nothing for what does not exist, or of an agent that did not run."""
    source, name, field = wanted
    if source == "vars":
        return pipeline.blueprint.variables.get(name, "")
    if source == "env":
        return world.inherited.get(name, "")
    node = pipeline.nodes.get(name)
    if node is None:
        raise OvermindError("removed", f"{name} is no longer part of the plan.")
    match field:
        case "result":
            return node.result or ""
        case "exit_code":
            return "" if node.exit_code is None else str(node.exit_code)
        case "output":
            return "" if node.mission is None else await _output(core, name, node.mission)
    return node.facts.get(field, "")


async def _output(core: Supervisor, name: str, mission_id: str) -> str:
    mission = core.book.get(mission_id)
    if mission is None:
        raise OvermindError("gone", f"What {name} wrote was removed: run it again, too.")
    return await output_text(core, mission)


def folder(core: Supervisor, plan: str, name: str, node: Node) -> str:
    """Where an attempt puts what it hands on."""
    return os.path.join(private_folder(core.home, plan), f"{name}.{node.attempt}")
