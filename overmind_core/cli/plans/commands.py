"""Commands about plans: apply and diff a blueprint, list its agents, delete a plan."""

from __future__ import annotations

import os
import time
from itertools import islice

from overmind_core.cli.caller_environment import working_directory
from overmind_core.cli.command import JSON, YES_TO_ALL, Command, argument, flag, option
from overmind_core.cli.context import Context, confirmed, exit_status, print_notes
from overmind_core.cli.output import dumps, is_ascii_only, terminal_columns
from overmind_core.cli.plans.blueprint import (
    FILE,
    FILENAME,
    NAME,
    NOT_STARTED,
    STDIN,
    VAR,
    apply_request,
    blueprint_name,
    change_lines,
    chosen_file,
    load_all,
    real_path,
)
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, INTERRUPTED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.blueprint_file.read import ReadBlueprint
    from overmind_core.client.client import Client
    from overmind_core.domain.plans.blueprint import PlanAgent
    from overmind_core.domain.plans.fleet import Fleet

    Plan = Mapping[str, Any]


CHANGED_WORD, FAILED_WORD = "changed", "failed"
"""Words that stand for agents in a request."""
DONE = {"started": "Started", "changed": "Changed"}
"""Status of the answer → what was done; others have done nothing."""


def apply(args: Namespace, context: Context) -> int:
    """Hand the plan over, say what was done, and with --wait follow it to its end."""
    from overmind_core.cli.isolation.trust import call_trusted

    path = chosen_file(args.file, args.filename, "apply")
    found = load_all(path, args.var, context, args.name, refused=NOT_STARTED)
    rerun = _rerun(args)
    if not found.blueprint.agents and (args.wait or rerun):
        raise UsageError(f"{path} has fleets alone, and they don't end: --wait, --changed and --rerun are for plans.")
    request = apply_request(found.blueprint, path, context.environ, dry_run=args.dry_run, rerun=rerun)
    fleets = _fleets(context, found, path, request, dry_run=args.dry_run)
    began = time.time()
    answer = last = None
    helps = ""
    if found.blueprint.agents:
        client = context.client(start=True)
        last = _last_run(client, request)
        answer = call_trusted(context, client, "apply", request)
        if answer["status"] == "unchanged" and last is not None:
            last = _last_run(client, request)  # somebody may have started it again meanwhile
            helps = _helps(client, args, path, answer["changes"], last)
    lines = [] if answer is None or args.json else _lines(answer, last, helps, partial=bool(rerun))
    _print_answer(args, context, answer, fleets, lines)
    if answer is None or not args.wait or args.dry_run:
        return 0
    if answer["status"] == "unchanged" and last is not None:  # nothing ran that could be followed
        return exit_status(last["status"], last["exit_code"])
    since = began if answer["status"] == "started" else None
    return _follow(context, answer, since=since, again=_again(args, path))


def _fleets(
    context: Context, found: ReadBlueprint, path: str, request: Mapping[str, Any], *, dry_run: bool
) -> Sequence[Mapping[str, Any]]:
    """Have the swarm's fleets of this file as it says; return what became of each."""
    from overmind_core.cli.swarm.commands import is_in_swarm  # start-up, as above

    is_mission = "OVERMIND_MISSION_ID" in context.environ  # it may not ask the swarm to change anything
    if not found.fleets and (is_mission or not is_in_swarm(context.home)):
        return []
    from overmind_core.cli.swarm.fleets import apply_fleets  # start-up, as above

    if found.fleets and found.blueprint.agents and not dry_run:  # what refuses the plan keeps its fleets from changing
        context.client(start=True).call("apply", {**request, "dry_run": True, "rerun": None})
    return apply_fleets(context, found.fleets, path, dry_run=dry_run)


def _print_answer(
    args: Namespace,
    context: Context,
    answer: Mapping[str, Any] | None,
    fleets: Sequence[Mapping[str, Any]],
    lines: Sequence[str],
) -> None:
    if args.json:
        context.print(dumps({**(answer or {}), **({"fleets": fleets} if fleets else {})}))
        return
    write = context.note if args.wait and not args.dry_run else context.print
    if fleets:
        from overmind_core.cli.swarm.fleets import change_line  # start-up, as above

        for one in fleets:
            write(change_line(one))
    for line in lines:
        write(line)


def _rerun(args: Namespace) -> list[str]:
    return [*args.rerun, *([CHANGED_WORD] if args.changed else [])]


def _again(args: Namespace, path: str, *, whole: bool = False) -> str:
    """The command that runs again what has failed; `whole`: all of the plan."""
    from shlex import join  # start-up: only for a plan that has run before

    name = () if args.name is None else ("--name", args.name)
    variables = (word for given in args.var for word in ("--var", "=".join(given)))
    return join(("overmind", "apply", path, *name, *variables, *(() if whole else ("--rerun", FAILED_WORD))))


def _helps(client: Client, args: Namespace, path: str, changes: Sequence[Plan], last: Plan | None) -> str:
    """The sentence that helps after the last run of a plan of which nothing runs; "": it succeeded, or goes on."""
    if last is None or last["outcome"] == "succeeded":
        return ""
    gone = {change["agent"] for change in changes if change["sign"] == "-"}
    agents = client.call("plan", {"id": last["id"]})["agents"] if gone else ()
    if gone and all(agent["stage"] == "succeeded" or agent["name"] in gone for agent in agents):
        again = _again(args, path, whole=True)
        return f". The failed agents are not in the file any more. Run all of it again with: {again}"
    if FAILED_WORD in args.rerun:
        return f". Nothing of it is unfinished. Run all of it again with: {_again(args, path, whole=True)}"
    from overmind_core.cli.finished import way_on  # start-up: only for a plan that has run before

    return f". {way_on(last['outcome'])}: {_again(args, path)}"


def _unchanged(plan: str, last: Plan | None, helps: str) -> str:
    """A sentence about a plan of which nothing runs."""
    if last is None:
        return f"unchanged: {plan}"
    return display_safe(f"unchanged: nothing of {plan} runs: {_ended(last)}{helps}")


def _lines(answer: Mapping[str, Any], last: Plan | None, helps: str, *, partial: bool) -> list[str]:
    """What a person reads of the answer.

    Args:
        answer: Of the daemon.
        last: The plan of this name and file as it has ended; None: it lives, or never ran.
        helps: What helps where nothing of it runs.
        partial: A part of an ended plan runs; else a plan that is started is a new one, of which all is new.
    """
    status, plan = answer["status"], f"plan {answer['id']} ({answer['name']})"
    if status == "unchanged":
        return [*change_lines(answer["changes"]), _unchanged(plan, last, helps)]
    shown = [] if status == "started" and not partial else change_lines(answer["changes"])
    if answer["kept"]:
        shown.append(display_safe(f"kept: {', '.join(answer['kept'])}"))
    if status not in DONE:
        whole = [] if last is None or partial else [f"ended: apply runs all of it again ({_ended(last)})"]
        return [*shown, *whole]
    of_last = f" again: {_ended(last)}" if status == "started" and last is not None else ""
    return [*shown, f"{DONE[status]} {plan}{of_last}"]


def _last_run(client: Client, request: Mapping[str, Any]) -> Plan | None:
    """Return the newest plan of this name and file, if that has ended; of standard input the newest of this folder."""
    origin = request["blueprint"]["name"], request["file"]
    found = [one for one in client.call("plans") if (one["name"], one["file"]) == origin]
    found.sort(key=lambda one: (one["status"] not in FINAL, str(one["started_at"])), reverse=True)
    newest = next((one for one in found if _is_of_folder(client, one, request["cwd"])), None)
    return newest if newest is not None and newest["status"] in FINAL else None


def _is_of_folder(client: Client, plan: Plan, folder: str) -> bool:
    """Tell the plans of standard input apart by their folders; those of a file are told by that."""
    if plan["file"] != STDIN:
        return True
    try:
        return bool(client.call("info", {"id": plan["id"]})["cwd"] == folder)
    except OvermindError as error:
        if error.code != "not_found":
            raise
        return False  # it was removed just now


def _ended(plan: Plan) -> str:
    """How and when it ended, as a clause."""
    from overmind_core.domain.missions.outcome import CUT_OFF  # start-up: only for a plan that has run before
    from overmind_core.domain.text.duration import format_uptime
    from overmind_core.domain.text.moment import parse_time

    ago = time.time() - parse_time(plan["ended_at"], time.time())
    was = "was " if plan["outcome"] in CUT_OFF else ""
    return f"its last run {was}{plan['outcome']} {format_uptime(max(ago, 0.0))} ago"


def _follow(context: Context, answer: Mapping[str, Any], *, since: float | None, again: str) -> int:
    from overmind_core.cli.finished import note_end_of_plan  # start-up: only with --wait
    from overmind_core.cli.follow_logs import follow_until_end

    try:
        status = follow_until_end(context, answer["id"], since=since)
    except KeyboardInterrupt:
        context.note(f"\nPlan {answer['id']} keeps running. Return with: overmind logs -f {answer['name']}")
        return INTERRUPTED
    note_end_of_plan(context, answer["id"], again)
    return status


RERUN = option("--rerun", "WHICH", "of an ended plan, run only these agents again, and the agents that depend on them: "
               "failed, or the name of one (repeatable)", repeat=True)  # fmt: skip
CHANGED = flag("--changed", "of an ended plan, run only what was changed, and the agents that depend on it")

APPLY = Command(
    name="apply",
    arguments=[FILE],
    options=[
        FILENAME,
        VAR,
        NAME,
        flag("--dry-run", "report without changing anything"),
        CHANGED,
        RERUN,
        flag("--wait", "follow its narrative and exit with its code; ctrl-c leaves it running"),
        JSON,
    ],
    examples=[
        "overmind apply release.toml",
        "overmind apply release.toml --var base=main --wait",
        "overmind apply release.toml --dry-run",
        "overmind apply release.toml --changed",
        "overmind apply release.toml --rerun failed",
        "overmind apply ci.toml --name ci-hotfix",
        "generate-plan | overmind apply -",
    ],
    notes=(
        "The whole file is checked first. Each mistake is printed as file:line:column: message, and nothing is "
        "started. A live plan of the same name and file is changed: + a new agent, ~ a changed agent, - a removed "
        "agent. Changed agents that have begun run again, together with all agents that depend on them. A plan that "
        "has ended runs again, all of it, unless --changed or --rerun says otherwise. A plan of another file is never "
        "touched: if it has the name, give this plan another with --name. - as the file "
        "reads standard input. Fleets and sentinels of the file are posted to the swarm in one transaction before "
        "the plan; those that the file no longer has end."
    ),
    run=apply,
)


def agents(args: Namespace, context: Context) -> int:
    """Validate the file, and list its agents, each behind what it depends on."""
    from overmind_core.domain.text.graph import order

    read = load_all(chosen_file(args.file, args.filename, "agents"), args.var, context)
    blueprint = read.blueprint
    edges = {agent.name: [one.agent for one in agent.depends_on] for agent in blueprint.agents}
    by_name = blueprint.by_name
    found = [by_name[name] for name in order(edges)]
    if args.json:
        context.print(dumps([_facts(agent) for agent in found]))
    elif args.graph:
        context.print(_graph(edges))
    else:
        context.print("\n".join([*map(_agent_line, found), *map(_fleet_line, read.fleets)]))
    return 0


def _fleet_line(fleet: Fleet) -> str:
    if fleet.want is None:
        return f"{fleet.agent} (sentinel {fleet.name})"
    return f"{fleet.agent} (fleet {fleet.name}: {fleet.want})"


def _agent_line(agent: PlanAgent) -> str:
    names = ", ".join(one.agent for one in agent.depends_on)
    labels = None if agent.on is None else ", ".join(f"{name}={value}" for name, value in agent.on.items()) or "any"
    about = [*([f"depends on: {names}"] if names else []), *([] if labels is None else [f"on: {labels}"])]
    return f"{agent.name} ({'; '.join(about)})" if about else agent.name


def _graph(edges: Mapping[str, Sequence[str]]) -> str:
    from overmind_core.domain.text.graph_drawing import draw

    drawn = draw(edges, columns=terminal_columns(), ascii_only=is_ascii_only())
    return "\n".join(row.text for row in drawn)


def _facts(agent: PlanAgent) -> dict[str, Any]:
    start = agent.start
    return {
        "name": agent.name,
        "depends_on": [{"agent": one.agent, "until": one.until.value} for one in agent.depends_on],
        "command": _command(agent),
        "cwd": start["cwd"],
        "type": start.get("type", "task"),
        "provider": start.get("provider", "raw"),
        "isolate": agent.isolated,
        "merge": agent.merge and {
            "agents": list(agent.merge.agents),
            "into": agent.merge.into,
            "verify": agent.merge.verify,
            "squash": agent.merge.squash,
            "rebase": agent.merge.rebase,
        },
        "outputs": list(agent.outputs),
        "ready": agent.ready and {
            "kind": agent.ready.kind.value,
            "target": agent.ready.target,
            "timeout_seconds": agent.ready.timeout,
        },
        "when": agent.when.value,
        "retries": agent.retries,
        "on": agent.on,
        "cpu": agent.cpu,
        "memory": agent.memory,
    }  # fmt: skip


def _command(agent: PlanAgent) -> Any:  # noqa: ANN401 - a text, or words
    if agent.merge is not None:
        return ["merge", *agent.merge.agents]
    return agent.start.get("agent", {}).get("prompt", agent.start["command"])


AGENTS = Command(
    name="agents",
    arguments=[FILE],
    options=[FILENAME, flag("--graph", "draw the dependencies between agents"), VAR, JSON],
    examples=[
        "overmind agents blueprint.toml",
        "overmind agents --graph release.toml",
        "overmind agents --var base=develop release.toml",
    ],
    notes=(
        "Starts nothing and needs no daemon. All mistakes of the file are printed, one per line: file:line:column: "
        "message"
    ),
    run=agents,
)


def diff(args: Namespace, context: Context) -> int:
    """Print a line for each change; return 1 for a difference only when asked to."""
    path = chosen_file(args.file, args.filename, "diff")
    found = load_all(path, args.var, context, args.name)
    blueprint, rerun = found.blueprint, _rerun(args)
    request = apply_request(blueprint, path, context.environ, dry_run=True, rerun=rerun)
    client = context.client()
    answer: dict[str, Any] = {"status": "planned", "changes": [], "kept": []}
    if blueprint.agents:
        answer = client.call("apply", request)
    last = _last_run(client, request) if blueprint.agents else None
    changes = answer["changes"]
    fleets = [one for one in _fleets(context, found, path, request, dry_run=True) if one["change"] != "unchanged"]
    if args.json:
        context.print(dumps({"changes": changes, "fleets": fleets} if fleets else changes))
        return FAILED if (changes or fleets) and args.exit_code else 0
    if changes or fleets:
        _print_changes(context, changes, fleets)
    if answer["kept"]:
        context.print(display_safe(f"kept: {', '.join(answer['kept'])}"))
    if last is not None and not rerun:
        context.note(f"ended: apply runs all of it again ({_ended(last)})")
    elif last is not None and answer["status"] == "unchanged":
        helps = _helps(client, args, path, changes, last)
        context.note(_unchanged(f"plan {last['id']} ({last['name']})", last, helps))
    elif not changes and not fleets:
        context.hint(f"The live plan {blueprint.name} matches {path}.")
    return FAILED if (changes or fleets) and args.exit_code else 0


def _print_changes(context: Context, changes: Sequence[Plan], fleets: Sequence[Plan]) -> None:
    from overmind_core.cli.swarm.fleets import change_line  # start-up: few files have fleets

    context.print("\n".join([*(change_line(one) for one in fleets), *change_lines(changes)]))


DIFF = Command(
    name="diff",
    arguments=[FILE],
    options=[
        FILENAME,
        VAR,
        NAME,
        CHANGED,
        RERUN,
        flag("--exit-code", "exit with 1 if there are differences"),
        JSON,
    ],
    examples=[
        "overmind diff release.toml",
        "overmind diff release.toml --rerun failed",
        "overmind diff release.toml --exit-code --var base=main",
    ],
    notes=(
        "Compares with the live plan of the same name and file, or else with the last one that has ended: apply runs "
        "all of that again, unless --changed or --rerun says otherwise. Without such a plan, everything is new. Prints "
        "nothing if there are no differences."
    ),
    run=diff,
)


FINAL = frozenset({"stopped", "crashed", "killed"})
ENDED = frozenset({"succeeded", "failed", "skipped", "cancelled", "waiting"})
"""Stages of agents that have no process."""
SUFFIX = ".toml"


def delete(args: Namespace, context: Context) -> int:
    """Ask where something lives, end it, and say so; what has ended already is no mistake."""
    client = context.client()
    plan = _find_plan(args, context, client)
    live = plan["status"] not in FINAL
    if live and not confirmed(_question(plan), yes=args.yes):
        return FAILED
    from overmind_core.cli.ends import EndTeller  # start-up: apply and diff end nothing

    answer = client.call("delete", {"id": plan["id"]}, meanwhile=EndTeller(context, [plan["id"]]))
    if args.json:
        context.print(dumps(answer))
    elif live:
        context.print(f"Deleted plan {answer['id']} ({answer['name']})")
    else:
        context.print(f"Plan {answer['id']} ({answer['name']}) has already ended")
    print_notes([answer], context)
    return 0


def _find_plan(args: Namespace, context: Context, client: Client) -> Plan:
    """Return the plan that is meant: a word that looks like a path is a file, another one only where it is no name."""
    if args.filename is not None:
        args.plan = chosen_file(args.plan, args.filename, "delete")
        return _plan_of_file(args, context, client)
    if args.plan is None:
        raise UsageError("Missing plan. See: overmind delete --help")
    if _is_path(args.plan):
        return _plan_of_file(args, context, client)
    try:
        return _plan(client, args.plan)
    except OvermindError as error:
        if error.code != "not_found":
            raise
        if not os.path.isfile(from_wire(args.plan)):
            raise OvermindError(
                "not_found", f"No plan named {args.plan!r}. See plans with: overmind ps --tree"
            ) from None
    return _plan_of_file(args, context, client)


def _plan_of_file(args: Namespace, context: Context, client: Client) -> Plan:
    """Return the plan of a file: of several the one of its name, a live one first.

    Raises:
        OvermindError: `not_found`; `ambiguous`, several of other names live.
    """
    name = args.name or blueprint_name(args.plan, args.var, context)
    every = client.call("plans")
    here = working_directory(None)
    if args.plan == STDIN:
        piped = [one for one in every if one["file"] == STDIN and one["name"] == name]
        of_file = [one for one in piped if one["status"] not in FINAL and _is_of_folder(client, one, here)]
        ended = (one for one in piped if one["status"] in FINAL and _is_of_folder(client, one, here))
        of_file = of_file or [*islice(ended, 1)]  # the newest alone is meant, and each costs a request
    else:
        file = real_path(args.plan)
        of_file = [one for one in every if one["file"] == file and args.name in {None, one["name"]}]
    live = [one for one in of_file if one["status"] not in FINAL]
    found = [one for one in live if one["name"] == name] or live or of_file
    if len(live) > 1 and len(found) > 1:
        names = ", ".join(one["name"] for one in live)
        raise OvermindError("ambiguous", f"{args.plan} has several live plans: {names}. Give the name of one.")
    if found:
        return _plan(client, found[0]["id"])
    other = next((one for one in every if one["name"] == name and one["status"] not in FINAL), None)
    hint = "" if other is None else f" The plan {name!r} is from {_origin(other)}; delete it by its name."
    source = f"standard input in {here}" if args.plan == STDIN else args.plan
    raise OvermindError("not_found", f"No plan was started from {source}.{hint}")


def _origin(plan: Plan) -> str:
    return "standard input in another folder" if plan["file"] == STDIN else str(plan["file"])


def _plan(client: Client, name: str) -> Plan:
    found: Plan = client.call("plan", {"id": name})
    return found


def _is_path(word: str) -> bool:
    return word == STDIN or "/" in word or word.endswith(SUFFIX)


def _question(plan: Plan) -> str:
    count = sum(number for stage, number in plan["counts"].items() if stage not in ENDED)
    agents = f" and its {count} running agent{'s' if count > 1 else ''}" if count else ""
    return f"End plan {plan['id']} ({plan['name']}){agents}?"


DELETE = Command(
    name="delete",
    arguments=[argument("plan", "file, id or name of the plan", metavar="plan", nargs="?")],
    options=[FILENAME, VAR, NAME, YES_TO_ALL, JSON],
    examples=["overmind delete release.toml", "overmind delete release", "overmind delete -y 1f3a9c0d"],
    notes="Its record and logs stay until you remove them: overmind rm, overmind prune",
    run=delete,
)

COMMANDS = (APPLY, AGENTS, DIFF, DELETE)
