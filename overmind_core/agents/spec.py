"""From a `run` request to a `MissionSpec`: what can be refused is refused here, by name, before anything exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.agents.validate import agent_of
from overmind_core.missions import validate
from overmind_core.missions.spec import Environment, MissionSpec

if TYPE_CHECKING:
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.requests import Start


def spec_of(request: Start, settings: Settings, *, name: str | None = None, parent: str | None = None) -> MissionSpec:
    """Check a request and turn it into a spec.

    Args:
        request: As it came.
        settings: Where the programs of agents are.
        name: Instead of the request's, for what the system itself names.
        parent: The id of the mission that it is to be a child of; the request's is a person's word for it.

    Raises:
        OvermindError: naming the first thing that is wrong.
    """
    if name is None:
        name = "" if request.name is None else validate.checked_name(request.name)
    agent = agent_of(request, settings)
    definition = validate.definition(request, agent, name=name, parent=parent)
    environment = Environment(request.env, request.env_set)
    return MissionSpec(
        definition,
        environment,
        agent,
        isolate=validate.wants_isolation(request),
        base=request.base,
        request=request.request,
    )
