"""From an agent of a blueprint to the request that starts it: references replaced by what they stand for by now.

What the references of an agent stand for when it starts, and where it puts what it hands on itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.environment import login_variables
from overmind_core.domain.plans.blueprint import FOLDER
from overmind_core.domain.plans.references import BrokenReference, bind_shell, bind_text, references
from overmind_core.errors import OvermindError
from overmind_core.missions.private_files import private_folder
from overmind_core.missions.requests import Start
from overmind_core.plans.outputs import output_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.plans.blueprint import PlanAgent
    from overmind_core.domain.plans.progress import Node
    from overmind_core.missions.spec import Environment
    from overmind_core.plans.pipeline import PlanRun


def wanted(agent: PlanAgent) -> set[tuple[str, str, str]]:
    """What its texts refer to: source, name and field of each reference."""
    found: set[tuple[str, str, str]] = set()

    def look(text: str) -> str:
        found.update((one.source, one.name, one.field) for one in references(text))
        return text

    _mapped(agent.start, look)
    return found


def start_request(
    agent: PlanAgent, values: Mapping[str, str], world: Environment, *, umask: int, folder: str, key: str
) -> Start:
    """The `run` request of one attempt.

    Args:
        agent: With references in its texts.
        values: What each of them stands for, by its text between the braces.
        world: The environment of whoever applied the plan.
        umask: Likewise.
        folder: Where it puts what it hands on.
        key: The request key: however often it is asked for, it makes one mission.

    Raises:
        OvermindError: it makes no valid request.
    """
    try:
        fields = _bound(agent, values)
        inherited = login_variables(world.inherited) if agent.clean_env else world.inherited
        handing_on = {FOLDER: folder} if agent.outputs else {}
        chosen = {**fields.pop("env_set", {}), **handing_on}
        return msgspec.convert({**fields, "env": inherited, "env_set": chosen, "umask": umask, "request": key}, Start)
    except (BrokenReference, msgspec.ValidationError, ValueError, TypeError) as error:
        raise OvermindError("invalid", f"{agent.name}: {error}.") from None


def _bound(agent: PlanAgent, values: Mapping[str, str]) -> dict[str, Any]:
    """The fields of the request with values for references; those in a shell command become variables of it."""
    fields = dict(agent.start)
    command = fields.pop("command", "")
    bound: dict[str, Any] = _mapped(fields, lambda text: bind_text(text, values))
    if isinstance(command, str) and fields.get("provider", RAW) == RAW:
        bound["command"], environment = bind_shell(command, values)
        bound["env_set"] = {**bound.get("env_set", {}), **environment}
    else:
        bound["command"] = _mapped(command, lambda text: bind_text(text, values))
    return bound


def _mapped(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The same value with every text in it changed; names of fields stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [_mapped(one, change) for one in value]
    if isinstance(value, dict):
        return {name: _mapped(one, change) for name, one in value.items()}
    return value


Wanted = tuple[str, str, str]
"""Source, name and field of a reference."""


async def values(core: Supervisor, pipeline: PlanRun, wanted: Iterable[Wanted], world: Environment) -> dict[str, str]:
    """What each of these stands for now, by its text between the braces."""
    return {".".join(part for part in one if part): await _value(core, pipeline, one, world) for one in wanted}


async def _value(core: Supervisor, pipeline: PlanRun, wanted: Wanted, world: Environment) -> str:
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
