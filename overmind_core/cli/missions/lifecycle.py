"""Commands that change missions: stop, kill, restart, freeze, thaw, signal, rm, prune, update."""

from __future__ import annotations

from overmind_core.cli.command import JSON, YES, Command, argument, flag, ids, one_id, option
from overmind_core.cli.context import Context, call_each, confirmed, report_error, tell_notes
from overmind_core.cli.missions.options import POLICY, given_policy
from overmind_core.cli.output import dumps, size
from overmind_core.cli.parser import duration, label_change
from overmind_core.errors import FAILED, INTERRUPTED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any


def stop(args: Namespace, context: Context) -> int:
    """Stop each; returns when nothing of them lives."""
    common = {"cascade": args.cascade} | ({} if args.grace is None else {"grace": args.grace})
    tail = " and all children" if args.cascade else ""
    return call_each(
        context,
        context.client(),
        "stop",
        [{"id": mission, **common} for mission in args.ids],
        line=lambda answer: f"Stopped mission {answer['id']}{tail}",
        as_json=args.json,
        notes=True,
    )


STOP = Command(
    name="stop",
    arguments=[ids()],
    options=[
        flag("--cascade", "their children too, leaves first"),
        option("--grace", "TIME", "instead of the mission's own, such as 30s", parse=duration),
        JSON,
    ],
    examples=[
        "overmind stop api",
        "overmind stop planner --cascade --grace 30s",
        "overmind stop api worker-1 worker-2",
    ],
    run=stop,
)


def kill(args: Namespace, context: Context) -> int:
    """Kill the named missions, or all that live."""
    if args.all and args.ids:
        raise UsageError("Name missions or give --all, not both. See: overmind kill --help")
    if args.all:
        return _kill_all(args, context)
    if not args.ids:
        raise UsageError("Missing id. See: overmind kill --help")

    def line(answer: Mapping[str, Any]) -> str:
        ids = [mission["id"] for mission in answer["killed"]]
        return f"Killed mission {ids[-1]} and all children" if args.cascade else "\n".join(map(_killed, ids))

    requests = [{"id": mission, "cascade": args.cascade} for mission in args.ids]
    return call_each(context, context.client(), "kill", requests, line=line, as_json=args.json, notes=True)


def _kill_all(args: Namespace, context: Context) -> int:
    client = context.client()
    live = client.call("status")["missions"]["running"]
    if live and not confirmed(f"Kill all {live} live missions?", yes=args.yes):
        return FAILED
    answer = client.call("kill", {"all": True})
    killed = answer["killed"]
    tell_notes([answer], context)
    if args.json:
        context.print(dumps(killed))
    elif killed:
        context.print("\n".join(_killed(mission["id"]) for mission in killed))
    else:
        context.hint("No live missions.")
    return 0


def _killed(mission: str) -> str:
    return f"Killed mission {mission}"


KILL = Command(
    name="kill",
    arguments=[ids(nargs="*")],
    options=[flag("--cascade", "children too, leaves first"), flag("--all", "every live mission"), YES, JSON],
    examples=["overmind kill api", "overmind kill planner --cascade", "overmind kill --all -y"],
    notes="A killed mission is hidden from plain ps; its log and record stay until: overmind rm",
    run=kill,
)


def restart(args: Namespace, context: Context) -> int:
    """Restart the named missions, or all that were lost."""
    if args.lost and (args.ids or args.fresh):
        raise UsageError("Name missions or give --lost, not both. See: overmind restart --help")
    if args.lost:
        return _restart_lost(args, context)
    if args.force and not args.fresh:
        raise UsageError("--force is for --fresh: what is not merged is lost. See: overmind restart --help")
    if not args.ids:
        raise UsageError("Missing id. See: overmind restart --help")
    how = {"fresh": True, "force": args.force} if args.fresh else {}
    requests = [{"id": mission, **how} for mission in args.ids]
    begun: list[Mapping[str, Any]] = []

    def line(answer: Mapping[str, Any]) -> str:
        begun.append(answer)
        return _restarted(answer["id"])

    status = call_each(context, context.client(start=True), "restart", requests, line=line, as_json=args.json)
    return status or _follow_preparations(context, begun)


def _follow_preparations(context: Context, begun: Sequence[Mapping[str, Any]]) -> int:
    """Follow the preparation of those that are isolated; return the exit status."""
    from overmind_core.cli.definitions.start import PREPARING, wait_prepared  # start-up: --help needs none

    status = 0
    for mission in begun:
        try:
            if mission.get("status") == PREPARING and not wait_prepared(context, mission):
                return INTERRUPTED
        except OvermindError as error:
            status = report_error(error, context)
    return status


LISTED = 20
"""Lost missions that are named before they are restarted."""


def _restart_lost(args: Namespace, context: Context) -> int:
    client = context.client(start=True)
    lost = client.call("restart", {"lost": True, "dry_run": True})["missions"]
    if not lost:
        context.print("[]" if args.json else "Nothing was lost.")
        return 0
    for mission in lost[:LISTED]:
        context.note(f"{mission['id']}  {mission['name']}")
    if len(lost) > LISTED:
        context.note(f"… and {len(lost) - LISTED} more")
    if not confirmed(f"Restart {len(lost)} lost mission{'' if len(lost) == 1 else 's'}?", yes=args.yes):
        return FAILED
    missions = client.call("restart", {"lost": True})["missions"]
    context.print(dumps(missions) if args.json else "\n".join(_restarted(mission["id"]) for mission in missions))
    return 0


def _restarted(mission: str) -> str:
    return f"Restarted mission {mission}"


RESTART = Command(
    name="restart",
    arguments=[ids(nargs="*")],
    options=[
        flag("--lost", "everything that was lost with the keeper or the machine"),
        flag("--fresh", "what an isolated mission had of its own is removed first: worktree, ports, containers"),
        flag("--force", "with --fresh: also work in the worktree that is not merged"),
        YES,
        JSON,
    ],
    examples=["overmind restart api", "overmind restart --lost", "overmind restart web --fresh"],
    run=restart,
)


def freeze(args: Namespace, context: Context) -> int:
    """Pause each."""
    requests = [{"id": mission} for mission in args.ids]
    client = context.client()
    return call_each(
        context, client, "freeze", requests, line=lambda answer: f"Froze mission {answer['id']}", as_json=args.json
    )


FREEZE = Command(
    name="freeze",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind freeze api"],
    run=freeze,
)


def thaw(args: Namespace, context: Context) -> int:
    """Let each go on."""
    requests = [{"id": mission} for mission in args.ids]
    client = context.client()
    return call_each(
        context, client, "thaw", requests, line=lambda answer: f"Thawed mission {answer['id']}", as_json=args.json
    )


THAW = Command(
    name="thaw",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind thaw api"],
    run=thaw,
)


def send_signal(args: Namespace, context: Context) -> int:
    """Send it; the mission's status stays."""
    answer = context.client().call("signal", {"id": args.id, "signal": args.signal})
    context.print(dumps(answer) if args.json else f"Sent {args.signal.upper()} to mission {answer['id']}")
    return 0


SIGNAL = Command(
    name="signal",
    arguments=[one_id(), argument("signal", "its name or number, such as HUP, USR1 or 10", metavar="NAME")],
    options=[JSON],
    examples=["overmind signal nginx HUP"],
    run=send_signal,
)


def remove(args: Namespace, context: Context) -> int:
    """Remove record and log of each."""
    several = len(args.ids) > 1
    if several and not confirmed(f"Remove {len(args.ids)} missions with their logs?", yes=args.yes):
        return FAILED
    requests = [{"id": mission} for mission in args.ids]
    client = context.client()
    return call_each(
        context, client, "rm", requests, line=lambda answer: f"Removed mission {answer['id']}", as_json=args.json
    )


RM = Command(
    name="rm",
    arguments=[ids()],
    options=[YES, JSON],
    examples=["overmind rm build-7", "overmind rm -y $(overmind ps -q --all --status killed)"],
    run=remove,
)


def prune(args: Namespace, context: Context) -> int:
    """Show how much it would be, ask, and remove."""
    client = context.client()
    older = {} if args.older is None else {"older": args.older}
    found = client.call("prune", {**older, "dry_run": True})
    if found["missions"] and not args.dry_run:
        question = f"Remove {len(found['missions'])} finished missions with their logs ({size(found['bytes'])})?"
        if not confirmed(question, yes=args.yes):
            return FAILED
        found = client.call("prune", older)
    verb = "Would remove" if args.dry_run else "Removed"
    context.print(dumps(found) if args.json else f"{verb} {len(found['missions'])} missions ({size(found['bytes'])})")
    return 0


PRUNE = Command(
    name="prune",
    options=[
        option("--older", "TIME", "only those that ended so long ago, such as 7d", parse=duration),
        flag("--dry-run", "only say what would be removed"),
        YES,
        JSON,
    ],
    examples=["overmind prune --older 7d", "overmind prune -y"],
    run=prune,
)


def update(args: Namespace, context: Context) -> int:
    """Send what was given; the rest stays."""
    changes = _changes(args)
    if not changes:
        raise UsageError("Nothing to change. See: overmind update --help")
    answer = context.client().call("update", {"id": args.id, **changes})
    context.print(dumps(answer) if args.json else f"Updated mission {answer['id']}")
    return 0


def _changes(args: Namespace) -> dict[str, Any]:
    changes = given_policy(args)
    if args.name is not None:
        changes["name"] = args.name
    if args.label:
        changes["labels"] = dict(args.label)
    if args.no_leave_background:
        changes["leave_background"] = False
    return changes


UPDATE = Command(
    name="update",
    arguments=[one_id()],
    options=[
        option("--name", "NAME", "a new name"),
        option("--label", "KEY=VALUE", "set a label; KEY- removes it (repeatable)", parse=label_change, repeat=True),
        *POLICY,
        flag("--no-leave-background", "end those too at its natural end"),
        JSON,
    ],
    examples=[
        "overmind update api --restart always --max-restarts 0",
        "overmind update api --label team=web --label old-",
    ],
    run=update,
)

COMMANDS = (STOP, KILL, RESTART, FREEZE, THAW, SIGNAL, RM, PRUNE, UPDATE)
