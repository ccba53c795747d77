"""Whether the isolated agents of a plan can have what their projects promise, before anything of the plan begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.plan.reference import bind_text, references
from overmind_core.supervisor.requests import Start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.plan.blueprint import Blueprint
    from overmind_core.supervisor.core import Supervisor


async def check_projects(core: Supervisor, blueprint: Blueprint, environ: Mapping[str, str]) -> list[str]:
    """Look at the project of each isolated agent; return what a person is told besides.

    Args:
        core: Where they would run.
        blueprint: The plan.
        environ: Of whoever applies it.

    Raises:
        OvermindError: `untrusted_project`, `invalid`, `docker_missing`, `git_failed`, `cwd_not_found`.
    """
    folders = dict.fromkeys(
        bind_text(agent.start["cwd"], {})
        for agent in blueprint.agents
        if agent.isolated and not references(agent.start["cwd"])
    )
    notes = []
    for folder in folders:
        planned = await core.isolation.planned(Start(command="", cwd=folder, env=dict(environ), isolate=True))
        if planned is not None and planned.note:
            notes.append(planned.note)
    return notes
