"""A home with thousands of ended missions: each is a copy of a real one, in the database of a daemon at rest."""

from __future__ import annotations

import json

from overmind_core.daemon.state import State
from tests.kit.overmind import Overmind


def with_ended(om: Overmind, count: int) -> None:
    """Have the home hold so many missions more, named m00000 and on, that have exited; its daemon runs afterwards."""
    model = om.mission("true", "--name", "a-model")
    om.wait_status(model, "stopped")
    om.ok("shutdown")
    state = State.open(om.path("state.db"))
    (row,) = [one for one in state.missions.all() if one.id == model]
    with state.transaction():
        for number in range(count):
            found = f"{number:08x}"
            record = json.loads(row.record)
            record["id"] = found
            record["definition"]["name"] = f"m{number:05}"
            state.missions.insert(row._replace(id=found, name=f"m{number:05}", record=json.dumps(record)))
    state.close()
    om.ok("start")
