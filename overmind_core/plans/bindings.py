"""Bindings: what an agent of a blueprint refers to, and the request that starts it once that is known. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.environment import login_variables
from overmind_core.domain.plans.blueprint import FOLDER
from overmind_core.domain.plans.references import BrokenReference, bind_shell, bind_text, references
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import Start

if TYPE_CHECKING:
    from overmind_core.domain.plans.blueprint import PlanAgent
    from overmind_core.missions.spec import Environment

Wanted = tuple[str, str, str]
"""Source, name and field of a reference."""


def wanted(agent: PlanAgent) -> set[Wanted]:
    """What its texts refer to."""
    found: set[Wanted] = set()

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
        start = msgspec.convert({**fields, "env": inherited, "env_set": chosen, "umask": umask}, Start)
        return msgspec.structs.replace(start, request=key)
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
