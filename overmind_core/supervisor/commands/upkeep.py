"""`update`, `rm`, `prune`: changing and removing records."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.domain.facts import Note
from overmind_core.errors import OvermindError
from overmind_core.supervisor import intake, records
from overmind_core.supervisor.commands.editing import check_editable
from overmind_core.supervisor.lookup import find
from overmind_core.supervisor.retention import folder_size, remove

if TYPE_CHECKING:
    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.requests import One, Prune, Update


async def update(core: Supervisor, request: Update, caller: Caller) -> dict[str, Any]:
    """Change a mission's definition; what it runs is not touched."""
    del caller
    mission = find(core.book, request.id)
    definition = intake.updated(mission.definition, request)
    if replace(definition, labels=mission.definition.labels) != mission.definition:
        check_editable(mission)
    if definition.name != mission.definition.name:
        holder = core.book.roster.holder(definition.name)
        if holder is not None:
            raise OvermindError(
                "name_taken",
                f"The name {definition.name!r} is taken by mission {holder}. Choose another one with --name",
                id=holder,
            )
    changed = replace(mission, definition=definition)
    core.book.put(changed, (Note("updated"),))
    await core.ledger.saved()
    return records.brief(changed)


async def rm(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """Remove a finished mission's record and log."""
    del caller
    mission = find(core.book, request.id)
    if mission.is_live:
        name = mission.definition.name
        raise OvermindError(
            "not_finished", f"Mission {mission.id} ({name}) is {mission.status}. Stop or kill it first."
        )
    if mission.definition.parent in core.plans.live:
        plan = core.plans.live[mission.definition.parent].blueprint.name
        raise OvermindError("not_finished", f"Mission {mission.id} is part of the plan {plan}, which still runs.")
    await remove(core, [mission.id])
    return records.brief(mission)


async def prune(core: Supervisor, request: Prune, caller: Caller) -> dict[str, Any]:
    """Remove all missions that ended long enough ago, or only say which; what a live plan may refer to stays."""
    del caller
    before = core.clock.wall() - intake.seconds(request.older, "--older")
    core.ledger.flush()
    rows = [row for row in core.state.missions.finished_before(before) if row.parent not in core.plans.live]
    ids = [row.id for row in rows]
    size = await asyncio.to_thread(lambda: sum(folder_size(f"{core.home.logs}/{one}") for one in ids))
    if not request.dry_run:
        await remove(core, ids)
    return {"missions": [{"id": row.id, "name": row.name} for row in rows], "bytes": size}
