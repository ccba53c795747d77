"""From an agent of a blueprint to the request that starts it: references replaced by what they stand for by now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.agent import RAW
from overmind_core.domain.environment import of_login
from overmind_core.domain.plan.outputs import FOLDER
from overmind_core.domain.plan.reference import BrokenReference, bind_shell, bind_text, references
from overmind_core.errors import OvermindError
from overmind_core.supervisor.requests import Start

if TYPE_CHECKING:
    from overmind_core.domain.plan.blueprint import Agent
    from overmind_core.supervisor.spawner import Environment


def wanted(agent: Agent) -> set[tuple[str, str, str]]:
    """What its texts refer to: source, name and field of each reference."""
    found: set[tuple[str, str, str]] = set()

    def look(text: str) -> str:
        found.update((one.source, one.name, one.field) for one in references(text))
        return text

    _mapped(agent.start, look)
    return found


def start_request(
    agent: Agent, values: Mapping[str, str], world: Environment, *, umask: int, folder: str, key: str
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
        inherited = of_login(world.inherited) if agent.clean_env else world.inherited
        handing_on = {FOLDER: folder} if agent.outputs else {}
        chosen = {**fields.pop("env_set", {}), **handing_on}
        return msgspec.convert({**fields, "env": inherited, "env_set": chosen, "umask": umask, "request": key}, Start)
    except (BrokenReference, msgspec.ValidationError, ValueError, TypeError) as error:
        raise OvermindError("invalid", f"{agent.name}: {error}.") from None


def _bound(agent: Agent, values: Mapping[str, str]) -> dict[str, Any]:
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
