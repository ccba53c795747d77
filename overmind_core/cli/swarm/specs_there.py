"""`spec run`, `spec list` and `spec show` with `-H swarm`: specs as far as the swarm does them.

A spec itself is of the home that has made it: its documents, gates and landing are there.
"""

from __future__ import annotations

from typing import Any

from overmind_core.cli.output import ascii_text, dumps, money, or_absent, table
from overmind_core.cli.specs.commands import spec_run
from overmind_core.cli.swarm.commands import swarm_client
from overmind_core.domain.specs.spec import AGENT_PHASES
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from overmind_core.cli.context import Context

    Row = dict[str, Any]

_LIVE = ("lost", "claimed", "queued")
"""States of posts that have not ended; of several the first tells how their spec stands."""
_TITLES = ("SPEC", "BY", "STATE", "PHASES", "TASKS", "HIVES", "COST")
_PART_TITLES = ("ID", "NAME", "STATE", "HIVE", "STATUS", "ATTEMPT", "EXIT", "REASON")


def run(args: Namespace, context: Context) -> int:
    """Have a spec of this home go on in the swarm."""
    args.on = args.on or {}
    return spec_run(args, context)


def list_specs(args: Namespace, context: Context) -> int:
    """Print the specs of whose parts the swarm knows."""
    found = [_row(posts) for posts in _by_spec(context).values()]
    shown = found if args.all else [one for one in found if one["state"] in _LIVE]
    if args.json:
        context.print(dumps(shown))
    elif shown:
        context.print(ascii_text(table(_TITLES, [_cells(one) for one in shown])))
    else:
        more = ", and with --all those that it has done" if found else ""
        context.hint(f"The swarm does no spec now. Have it do one with: overmind spec run SPEC --on any{more}")
    return 0


def show(args: Namespace, context: Context) -> int:
    """Print the parts of one."""
    found = [posts for posts in _by_spec(context).values() if posts[0]["spec"] == args.id]
    if not found:
        raise OvermindError(
            "not_found", f"The swarm has no spec {args.id!r}. See all: overmind spec list -H swarm --all"
        )
    parts = [one for posts in found for one in posts]
    if args.json:
        context.print(dumps({**_row(parts), "parts": parts}))
        return 0
    names = ("id", "name", "state", "hive", "status", "attempt", "exit_code", "reason")
    context.print(ascii_text(table(_PART_TITLES, [[or_absent(one[name]) for name in names] for one in parts])))
    return 0


def _by_spec(context: Context) -> Mapping[tuple[str, str], Sequence[Row]]:
    """Posts by the spec, and who has posted them: two homes may have specs of one name."""
    rows: list[Row] = swarm_client(context).call("swarm_posts", {"all": True})
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["spec"] is not None:
            found.setdefault((row["spec"], row["posted_by"]), []).append(row)
    return found


def _row(posts: Sequence[Row]) -> Row:
    """How a spec stands in the swarm; of a part that was posted anew the newest post counts."""
    newest = {one["name"]: one for one in posts}
    phases = {f"{posts[0]['spec']}/{phase}" for phase in AGENT_PHASES}
    tasks = [one for name, one in newest.items() if name not in phases]
    states = {one["state"] for one in newest.values()}
    ends = ("failed", "cancelled", "done")
    return {
        "spec": posts[0]["spec"],
        "posted_by": posts[0]["posted_by"],
        "state": next(state for state in (*_LIVE, *ends) if state in states),
        "phases": sum(one["state"] == "done" for name, one in newest.items() if name in phases),
        "tasks": sum(one["state"] == "done" for one in tasks),
        "tasks_posted": len(tasks),
        "hives": sorted({one["hive"] for one in posts if one["hive"] is not None}),
        "cost_usd": sum(one["cost_usd"] or 0.0 for one in posts) or None,
    }


def _cells(row: Row) -> list[str]:
    tasks = f"{row['tasks']}/{row['tasks_posted']}" if row["tasks_posted"] else or_absent(None)
    phases, hives = f"{row['phases']}/{len(AGENT_PHASES)}", ", ".join(row["hives"]) or or_absent(None)
    return [row["spec"], row["posted_by"], row["state"], phases, tasks, hives, money(row["cost_usd"])]


COMMANDS = {"spec run": run, "spec list": list_specs, "spec show": show}
