"""The check of the swarm that a home is in: whether its database answers, and is a server that forgets nothing."""

from __future__ import annotations

from overmind_core.cli.doctor.finding import CheckContext, Finding, fail, ok, warn
from overmind_core.client.stream import call_if_running
from overmind_core.domain.hives import AWAY
from overmind_core.errors import OvermindError

PATIENCE = 12.0
"""Seconds; a database that does not answer is waited for by the daemon, for less than all checks may take."""


def membership(context: CheckContext) -> Finding | None:
    """Whether this home takes part in its swarm; None: it is in none, or nobody can say."""
    if not context.home.is_in_swarm:
        return None
    try:
        state = call_if_running(context.home, "swarm_status", timeout=PATIENCE)
    except OvermindError as error:  # its login was removed
        return fail(error.message, "ask an owner for a new invitation, or leave it: overmind swarm leave")
    if state is None:
        return warn("no daemon answers, so nothing of it is done here", "overmind start")
    if state["silence"]:
        return fail(state["silence"], "check the server and the way to it; missions here go on meanwhile")
    if state["warnings"]:
        return warn(" ".join(state["warnings"]), "the server's administrator can change it, in postgresql.conf")
    alive = sum(one["link"] not in AWAY for one in state["hives"])
    found = f"{state['swarm']}: {alive} of {len(state['hives'])} hives beat"
    return ok(found if state["hive"] is None else f"{found}, this one as {state['hive']}")
