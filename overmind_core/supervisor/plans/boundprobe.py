"""A probe as it is looked at: what its command refers to is in variables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.plan.blueprint import Probe, ProbeKind
from overmind_core.domain.plan.reference import BrokenReference, UnusableValue, bind_shell, references
from overmind_core.supervisor.plans.probes import NotReady
from overmind_core.supervisor.plans.values import values

if TYPE_CHECKING:
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.plans.pipeline import Pipeline
    from overmind_core.supervisor.spawner import Environment


class Bound(NamedTuple):
    """`variables` belong to the environment of the probe's command. Wire form."""

    probe: Probe
    variables: dict[str, str]


async def bound(core: Supervisor, pipeline: Pipeline, probe: Probe, world: Environment) -> Bound:
    """The probe without references; `world` is the environment of whoever applied the plan.

    Raises:
        NotReady: a command can't be given what it refers to.
    """
    if probe.kind is not ProbeKind.EXEC:
        return Bound(probe, {})
    try:
        wanted = {(str(one.source), one.name, one.field) for one in references(probe.target)}
        command, variables = bind_shell(probe.target, await values(core, pipeline, wanted, world))
    except (BrokenReference, UnusableValue) as error:
        raise NotReady(f"its command can't be run: {error}") from None
    return Bound(replace(probe, target=command), variables)
