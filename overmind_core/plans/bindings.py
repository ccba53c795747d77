"""Bindings: the request that starts an agent of a blueprint, once it is known what its texts refer to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.missions.environment import login_variables
from overmind_core.domain.plans.bindings import bound
from overmind_core.domain.plans.blueprint import FOLDER
from overmind_core.domain.plans.references import BrokenReference
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import Start

if TYPE_CHECKING:
    from overmind_core.domain.plans.blueprint import PlanAgent
    from overmind_core.missions.spec import Environment


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
        fields = bound(agent.start, values)
        inherited = login_variables(world.inherited) if agent.clean_env else world.inherited
        handing_on = {FOLDER: folder} if agent.outputs else {}
        chosen = {**fields.pop("env_set", {}), **handing_on}
        start = msgspec.convert({**fields, "env": inherited, "env_set": chosen, "umask": umask}, Start)
        return msgspec.structs.replace(start, request=key)
    except (BrokenReference, msgspec.ValidationError, ValueError, TypeError) as error:
        raise OvermindError("invalid", f"{agent.name}: {error}.") from None


def fields_of(agent: PlanAgent, values: Mapping[str, str]) -> dict[str, Any]:
    """The fields of the `run` request of an attempt that runs elsewhere: with values in place of references.

    Raises:
        OvermindError: there is a value that no program can be given.
    """
    try:
        return bound(agent.start, values)
    except (BrokenReference, ValueError) as error:
        raise OvermindError("invalid", f"{agent.name}: {error}.") from None
