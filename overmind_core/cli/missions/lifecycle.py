"""Commands that change missions: stop, kill, restart, freeze, thaw, signal, rm, prune, update, rename."""

from __future__ import annotations

import re

from overmind_core.cli.command import JSON, YES, YES_TO_ALL, Command, Parameter, flag, ids, one_id, option
from overmind_core.cli.context import (
    Context,
    call_each,
    call_for_ids,
    confirmed,
    confirmed_removal,
    print_notes,
    report_error,
)
from overmind_core.cli.ends import EndTeller
from overmind_core.cli.missions.options import POLICY, given_policy
from overmind_core.cli.output import dumps, size
from overmind_core.cli.values import duration, label_change, mission_name, signal_name
from overmind_core.domain.missions.lost import KEEPER_LOST, plan_again
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, INTERRUPTED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client


ALL = flag("--all", "every live mission", short="-a")


def _check_named(args: Namespace, command: str) -> None:
    """Refuse no mission at all, and names beside --all.

    Raises:
        UsageError: as it says.
    """
    if args.all and args.ids:
        raise UsageError(f"Name missions or give --all, not both. See: overmind {command} --help")
    if not args.all and not args.ids:
        raise UsageError(f"Missing id. Name missions or give --all. See: overmind {command} --help")


def _live(client: Client) -> list[Mapping[str, Any]]:
    """Return the live missions that are no live mission's child."""
    rows = [row for row in client.call("ps", {"recent": 0}) if row["status"] not in ENDED]
    live = {row["id"] for row in rows}
    return [row for row in rows if row["parent"] not in live]


ENDED = frozenset({"stopped", "crashed", "killed"})
NONE_LIVE = "No live missions."
"""What --all says where there is nothing to do: to a script, too, which could not tell it from a silent success."""


def _count(number: int, what: str) -> str:
    """Return `1 live mission`, `2 live missions`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def stop(args: Namespace, context: Context) -> int:
    """Stop each; returns when nothing of them lives."""
    _check_named(args, "stop")
    if args.all:
        return _stop_all(args, context)
    common = {"cascade": args.cascade} | _grace(args)
    tail = " and all children" if args.cascade else ""
    return call_each(
        context,
        context.client(),
        "stop",
        [{"id": mission, **common} for mission in args.ids],
        line=lambda answer: f"Stopped mission {answer['id']}{tail}",
        as_json=args.json,
        notes=True,
        meanwhile=EndTeller(context, args.ids),
    )


def _grace(args: Namespace) -> dict[str, str]:
    return {} if args.grace is None else {"grace": args.grace}


def _all(live: int) -> str:
    return f"all {_count(live, 'live mission')}" if live > 1 else "the one live mission"


def _stop_all(args: Namespace, context: Context) -> int:
    """Stop every live mission with its children; one that ends meanwhile by itself is as good as stopped."""
    client = context.client()
    try:
        live = client.call("status")["missions"]["running"]
    except OvermindError as error:
        from overmind_core.cli.daemon import end_without_state  # rarely needed

        return end_without_state(args, context, error)
    if live and not confirmed(f"Stop {_all(live)}{context.on_hive}?", yes=args.yes):
        return FAILED
    requests = [{"id": row["id"], "cascade": True, **_grace(args)} for row in _live(client)]
    found = client.call_each("stop", requests, meanwhile=EndTeller(context, None))
    answers = [one for one in found if not _is_over(one)]
    done = [answer for answer in answers if not isinstance(answer, OvermindError)]
    for answer in answers:
        if isinstance(answer, OvermindError):
            report_error(answer, context)
    print_notes(done, context)
    if args.json:
        context.print(dumps(done))
    elif done:
        context.print("\n".join(f"Stopped mission {answer['id']} and all children" for answer in done))
    else:
        context.note(NONE_LIVE)
    return 0 if len(done) == len(answers) else FAILED


def _is_over(answer: object) -> bool:
    return isinstance(answer, OvermindError) and answer.code in {"not_running", "not_found"}


STOP = Command(
    name="stop",
    arguments=[ids(nargs="*")],
    options=[
        flag("--cascade", "stop their children too, leaves first"),
        ALL,
        option(
            "--grace", "TIME", "replace the mission's own grace time, such as 30s",
            short="-t", also=["--time", "--timeout"], parse=duration,
        ),
        YES_TO_ALL,
        JSON,
    ],
    examples=[
        "overmind stop api",
        "overmind stop planner --cascade --grace 30s",
        "overmind stop api worker-1 worker-2",
        "overmind stop --all",
    ],
    run=stop,
)  # fmt: skip


def kill(args: Namespace, context: Context) -> int:
    """Kill the named missions, or all that live."""
    _check_named(args, "kill")
    if args.signal not in {None, KILL_SIGNAL}:
        return _send_to_each(args, context)
    if args.all:
        return _kill_all(args, context)

    requests = [{"id": mission, "cascade": args.cascade} for mission in args.ids]
    client = context.client(start=context.has_state)  # what goes on after a shutdown has no daemon any more
    answers = client.call_each("kill", requests, meanwhile=EndTeller(context, args.ids, may_kill=False))
    done = [answer for answer in answers if not isinstance(answer, OvermindError)]
    print_notes(done, context)
    if args.json:
        context.print(dumps([mission for answer in done for mission in answer["killed"]]))
    for answer in answers:
        if isinstance(answer, OvermindError):
            report_error(answer, context)
        elif not args.json:
            context.print("\n".join(_killed_lines(answer, cascade=args.cascade)))
    return 0 if len(done) == len(answers) else FAILED


def _killed_lines(answer: Mapping[str, Any], *, cascade: bool) -> list[str]:
    hidden = answer.get("hidden", ())  # of another release's hive, there is none
    already = answer.get("already", ())
    killed = [mission["id"] for mission in answer["killed"] if mission["id"] not in {*hidden, *already}]
    lines = [f"Mission {mission} had already ended: ps no longer lists it" for mission in hidden]
    lines += [f"Mission {mission} was killed before" for mission in already]
    if background := answer.get("background"):
        lines.append(_ended_background(background))
    if cascade and killed and not hidden and not already:
        return [*lines, f"Killed mission {killed[-1]} and all children"]
    return [*lines, *map(_killed, killed)]


def _ended_background(processes: Sequence[str]) -> str:
    return f"Ended what it had left in the background: {display_safe(', '.join(processes))}"


KILL_SIGNAL = "KILL"


def _send_to_each(args: Namespace, context: Context) -> int:
    """Send another signal than KILL, as `signal` does."""
    if args.all or args.cascade:
        wrong = "--all" if args.all else "--cascade"
        raise UsageError(f"--signal {args.signal} and {wrong} can't be used together: name the missions. {_SEE_SIGNAL}")
    return call_for_ids(
        args, context, "signal", lambda one: f"Sent {args.signal} to mission {one['id']}", signal=args.signal
    )


_SEE_SIGNAL = "See: overmind signal --help"
_SIGNAL_WORD = re.compile("-(?:[0-9]+|(?:SIG)?[A-Z][A-Z0-9]+)")
"""`-9`, `-HUP`, `-SIGHUP`, as kill(1) has them."""


def signal_options(words: list[str]) -> list[str]:
    """Return the words of `kill` with `--signal=9` in the place of `-9`."""
    end = words.index("--") if "--" in words else len(words)
    return [*(_signal_option(words, place) for place in range(end)), *words[end:]]


def _signal_option(words: list[str], place: int) -> str:
    word = words[place]
    is_value = bool(place) and words[place - 1] in {"-s", "--signal"}
    return f"--signal={word[1:]}" if _SIGNAL_WORD.fullmatch(word) and not is_value else word


def _kill_all(args: Namespace, context: Context) -> int:
    client = context.client()
    try:
        live = client.call("status")["missions"]["running"]
    except OvermindError as error:
        from overmind_core.cli.daemon import end_without_state  # rarely needed

        return end_without_state(args, context, error)
    if live and not confirmed(f"Kill {_all(live)}{context.on_hive}?", yes=args.yes):
        return FAILED
    answer = client.call("kill", {"all": True}, meanwhile=EndTeller(context, None, may_kill=False))
    killed = answer["killed"]
    print_notes([answer], context)
    if args.json:
        context.print(dumps(killed))
    elif killed:
        context.print("\n".join(_killed(mission["id"]) for mission in killed))
    else:
        context.note(NONE_LIVE)
    return 0


def _killed(mission: str) -> str:
    return f"Killed mission {mission}"


KILL = Command(
    name="kill",
    arguments=[ids(nargs="*")],
    options=[
        flag("--cascade", "kill their children too, leaves first"),
        ALL,
        option(
            "--signal", "NAME", "send this signal instead of KILL; keeps the mission's status",
            short="-s", parse=signal_name,
        ),
        YES_TO_ALL,
        JSON,
    ],
    examples=["overmind kill planner --cascade", "overmind kill -HUP api", "overmind kill --all -y"],
    notes=(
        "Plain ps hides a killed mission; its log and record stay until: overmind rm\n\n"
        "It also ends what a mission has left in the background. For that it starts a daemon where none runs, as "
        "after a shutdown.\n\n"
        "-9 and -KILL are the default; -HUP is -s HUP, the same as: overmind signal <id> HUP"
    ),
    rewrite=signal_options,
    run=kill,
)  # fmt: skip


def restart(args: Namespace, context: Context) -> int:
    """Restart the named missions, or all that were lost."""
    if args.lost and (args.ids or args.fresh or args.all):
        raise UsageError("Name missions or give --lost, not both. See: overmind restart --help")
    if args.force and not args.fresh:
        raise UsageError("--force needs --fresh, and loses unmerged work. See: overmind restart --help")
    if args.lost:
        wanted = _lost_to_restart(args, context)
    else:
        _check_named(args, "restart")
        wanted = _all_to_restart(args, context) if args.all else args.ids
    if wanted is None:
        return FAILED
    how: dict[str, Any] = {"fresh": True, "force": args.force} if args.fresh else {}
    if context.hive is None:
        from overmind_core.cli.caller_environment import session_environment  # start-up: --help needs none

        how["session_env"] = session_environment(context.environ)
    requests = [{"id": mission, **how} for mission in wanted]
    begun: list[Mapping[str, Any]] = []

    def line(answer: Mapping[str, Any]) -> str:
        begun.append(answer)
        return _restarted(answer["id"])

    client = context.client(start=True)
    teller = EndTeller(context, wanted, may_kill=False)
    status = call_each(context, client, "restart", requests, line=line, as_json=args.json, notes=True, meanwhile=teller)
    return status or _follow_preparations(context, begun)


def _all_to_restart(args: Namespace, context: Context) -> list[str] | None:
    """Return every live mission that is no live mission's child, once the person agrees; None: they don't."""
    found = [row["id"] for row in _live(context.client())]
    if not found and not args.json:
        context.note(NONE_LIVE)
    question = f"Restart {_count(len(found), 'live mission')}?"
    return found if not found or confirmed(question, yes=args.yes) else None


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


def _lost_to_restart(args: Namespace, context: Context) -> list[str] | None:
    """Return every mission that was lost, once the person agrees; None: they don't."""
    lost = context.client(start=True).call("restart", {"lost": True, "dry_run": True})["missions"]
    plans = [] if args.json else list(_lost_plans(context.client()))
    if not lost and not plans and not args.json:
        context.print("Nothing was lost.")
    for plan in plans:
        again = plan_again(plan["name"], plan["file"], plan["vars"])
        context.note(display_safe(f"{plan['id']}  {plan['name']}: a plan, go on with: {again}"))
    for mission in lost[:LISTED]:
        context.note(f"{mission['id']}  {mission['name']}")
    if len(lost) > LISTED:
        context.note(f"… and {len(lost) - LISTED} more")
    question = f"Restart {_count(len(lost), 'lost mission')}?"
    return [row["id"] for row in lost] if not lost or confirmed(question, yes=args.yes) else None


def _lost_plans(client: Client) -> Iterator[Mapping[str, Any]]:
    """The newest plan of each file that has failed for agents that were lost; of many the newest."""
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for plan in client.call("plans"):
        newest.setdefault((plan["name"], plan["file"]), plan)
    failed = [plan for plan in newest.values() if plan["outcome"] == "failed"]
    for plan in failed[:LISTED]:
        found = client.call("plan", {"id": plan["id"]})
        if any(agent["stage"] == "failed" and agent["reason"] == KEEPER_LOST for agent in found["agents"]):
            yield {**plan, "vars": found.get("vars")}  # an older daemon says none


def _restarted(mission: str) -> str:
    return f"Restarted mission {mission}"


RESTART = Command(
    name="restart",
    arguments=[ids(nargs="*")],
    options=[
        ALL,
        flag("--lost", "every mission lost with the keeper or the machine"),
        flag("--fresh", "first remove the worktree, ports and containers of an isolated mission"),
        flag("--force", "with --fresh: discard unmerged work in the worktree"),
        YES_TO_ALL,
        JSON,
    ],
    examples=["overmind restart api", "overmind restart --lost", "overmind restart web --fresh"],
    run=restart,
)


def freeze(args: Namespace, context: Context) -> int:
    """Pause each."""
    return call_for_ids(args, context, "freeze", lambda answer: f"Froze mission {answer['id']}")


FREEZE = Command(
    name="freeze",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind freeze api"],
    run=freeze,
)


def thaw(args: Namespace, context: Context) -> int:
    """Let each go on."""
    return call_for_ids(args, context, "thaw", lambda answer: f"Thawed mission {answer['id']}")


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
    context.print(dumps(answer) if args.json else f"Sent {args.signal} to mission {answer['id']}")
    return 0


SIGNAL = Command(
    name="signal",
    arguments=[
        one_id(),
        Parameter(
            "signal", help="name or number of the signal, such as HUP, USR1 or 10", metavar="NAME", type=signal_name
        ),
    ],
    options=[JSON],
    examples=["overmind signal nginx HUP"],
    run=send_signal,
)


def remove(args: Namespace, context: Context) -> int:
    """Remove record and log of each; with --force kill those that live first, and ask nothing."""
    several = len(args.ids) > 1
    question = f"Remove {len(args.ids)} missions with their logs?"
    if several and not args.force and not confirmed_removal(question, yes=args.yes):
        return FAILED
    client = context.client()
    wanted = _ended_by_force(client, args.ids, context) if args.force else args.ids
    requests = [{"id": mission} for mission in wanted]
    with context.waiting_for_git("rm", args.ids):
        return call_each(
            context,
            client,
            "rm",
            requests,
            line=lambda answer: f"Removed mission {answer['id']}",
            as_json=args.json,
            notes=True,
        )


def _ended_by_force(client: Client, wanted: Sequence[str], context: Context) -> list[str]:
    """Kill those that `rm` would remove; return these: by id what was killed, for its name may mean another one now."""
    teller = EndTeller(context, wanted, may_kill=False)
    answers = client.call_each("kill", [{"id": mission, "alone": True} for mission in wanted], meanwhile=teller)
    for answer in answers:
        if not isinstance(answer, OvermindError) and (background := answer.get("background")):
            context.note(_ended_background(background))
    return [
        mission if isinstance(answer, OvermindError) or not answer["killed"] else answer["killed"][-1]["id"]
        for mission, answer in zip(wanted, answers, strict=True)
    ]


RM = Command(
    name="rm",
    arguments=[ids()],
    options=[
        flag("--force", "kill live missions, and what was left in the background; skip the confirmation", short="-f"),
        YES,
        JSON,
    ],
    examples=["overmind rm build-7", "overmind rm -y $(overmind ps -q --all --status killed)"],
    notes=(
        "The worktree and the branch of a mission go, too, unless work would be lost that is nowhere else: then both "
        "are kept, and it says where they are. Remove those with: overmind discard <id> --force\n\n"
        "A mission whose processes go on in the background (--leave-background) is not removed. End them with: "
        "overmind kill <id>, or end and remove with --force"
    ),
    run=remove,
)


def prune(args: Namespace, context: Context) -> int:
    """Show how much it would be, ask, and remove."""
    client = context.client()
    older = {} if args.older is None else {"older": args.older}
    with context.waiting_for_git("prune"):
        found = client.call("prune", {**older, "dry_run": True})
    if found["missions"] and not args.dry_run:
        from overmind_core.view.missions import removal_question  # start-up: only before something goes

        question = removal_question(len(found["missions"]), size(found["bytes"]))
        if not confirmed_removal(question, yes=args.yes):
            return FAILED
        moment = {key: found[key] for key in ("as_of",) if key in found}  # another release's hive says none
        with context.waiting_for_git("prune"):
            found = client.call("prune", {**older, **moment})
    verb = "Would remove" if args.dry_run else "Removed"
    removed = _count(len(found["missions"]), "mission")
    context.print(dumps(found) if args.json else f"{verb} {removed} ({size(found['bytes'])})")
    print_notes([found], context)
    return 0


FORCE = flag("--yes", "skip the confirmation", short="-y", also=["-f", "--force"])

PRUNE = Command(
    name="prune",
    options=[
        option("--older", "TIME", "only missions that ended at least this long ago, such as 7d", parse=duration),
        flag("--dry-run", "report without removing anything"),
        FORCE,
        JSON,
    ],
    examples=["overmind prune --older 7d", "overmind prune -y"],
    notes=(
        "Worktrees with work that would be lost are kept, as with rm, and it says where they are. So are missions "
        "whose processes go on in the background, or about which something is asked, and it says which. Without a "
        "terminal, -y is needed."
    ),
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
        option("--name", "NAME", "new name", parse=mission_name),
        option("--label", "KEY=VALUE", "set a label; KEY- removes it (repeatable)",
               short="-l", parse=label_change, repeat=True),
        *POLICY,
        flag("--no-leave-background", "stop its background processes when it exits"),
        JSON,
    ],
    examples=[
        "overmind update api --restart always --max-restarts 0",
        "overmind update api --label team=web --label old-",
    ],
    run=update,
)  # fmt: skip


def rename(args: Namespace, context: Context) -> int:
    """Change the name alone."""
    answer = context.client().call("update", {"id": args.id, "name": args.name})
    context.print(dumps(answer) if args.json else f"Renamed mission {answer['id']} to {answer['name']}")
    return 0


RENAME = Command(
    name="rename",
    arguments=[one_id(), Parameter("name", help="new name", metavar="name", type=mission_name)],
    options=[JSON],
    examples=["overmind rename amber-comet api"],
    notes=(
        "Children, labels, log and worktree stay the same, and the worktree's branch keeps its name. A plan takes "
        "its name from its file."
    ),
    run=rename,
)

COMMANDS = (STOP, KILL, RESTART, FREEZE, THAW, SIGNAL, RM, PRUNE, UPDATE, RENAME)
