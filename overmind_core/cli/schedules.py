"""Commands about rituals: create, delete, history, info, list, pause, resume, run; and the tables that show them."""

from __future__ import annotations

import os

from overmind_core.cli.command import JSON, YES, Command, Parameter, argument, option
from overmind_core.cli.context import Context, call_for_ids, confirmed_removal
from overmind_core.cli.output import coloured, command_cell, dumps, or_absent, table
from overmind_core.cli.plans.blueprint import VAR, apply_request, load
from overmind_core.cli.quests.commands import quest_request, run_options
from overmind_core.cli.quests.rows import COLOURS, seconds_cell
from overmind_core.cli.values import mission_name, positive_number, time_zone
from overmind_core.domain.missions.reasons import run_word, why_failed
from overmind_core.errors import FAILED, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]


COLUMNS: dict[str, Callable[[Row], str]] = {
    "NAME": lambda row: row["name"],
    "STATUS": lambda row: row["status"],
    "SCHEDULE": lambda row: row["schedule"],
    "NEXT": lambda row: or_absent(row["next_local"]),
    "LAST": lambda row: or_absent(row["last_local"]),
    "RESULT": lambda row: or_absent(run_word(row["last_result"], row.get("last_outcome"))),
    "COMMAND": lambda row: command_cell(row["command"]),
}
"""Title → cell of a row of `ritual list --json`."""


def reason_cell(row: Row) -> str:
    """Return why a run failed or never began, and how many times before it passed without a run."""
    from overmind_core.domain.schedules import missed_text  # start-up: for the history

    missed = f"{missed_text(row['missed'])} missed before" if row["missed"] else ""
    said = row.get("text") if row["status"] in {"failed", "cancelled"} and row.get("exit_code") is not None else ""
    return or_absent(", ".join(filter(None, (said or why_failed(row), missed))))


HISTORY: dict[str, Callable[[Row], str]] = {
    "RUN": lambda row: str(row["number"]),
    "DUE": lambda row: row["due_local"],
    "BY": lambda row: row["trigger"].replace("_", "-"),
    "STATUS": lambda row: run_word(row["status"], row.get("outcome")),
    "DURATION": lambda row: seconds_cell(row["duration_seconds"]),
    "EXIT": lambda row: or_absent(row["exit_code"]),
    "REASON": reason_cell,
    "ID": lambda row: or_absent(row["id"]),
}
"""Title → cell of a row of `ritual history --json`."""


def ritual_id() -> Parameter:
    """Return the ritual that a command is about, in `args.id`."""
    return argument("id", "name or id", metavar="ritual")


def ritual_ids() -> Parameter:
    """Return the rituals that a command is about, in `args.ids`."""
    return argument("ids", "name or id", nargs="+", metavar="ritual")


def print_rows(
    args: Namespace, context: Context, rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]], empty: str
) -> int:
    """Print rows as a table or as JSON; `empty` is what a person reads where there are none."""
    if not rows and not args.json:
        context.hint(empty)
    colours = COLOURS if coloured(context.environ) else None
    cells = [[cell(row) for cell in columns.values()] for row in rows]
    context.print(dumps(rows) if args.json else table(list(columns), cells, colours=colours))
    return 0


def upcoming(ritual: Row) -> str:
    """Return when it comes next, for a person."""
    times = ", ".join(one["local"] for one in ritual["upcoming"])
    return f"Next: {times}" if times else "Next: never"


_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def ritual_create(args: Namespace, context: Context) -> int:
    """Create it, and say when it comes next."""
    from overmind_core.cli.isolation.trust import call_trusted  # start-up: --help needs none

    request = _request(args, context)
    ritual = call_trusted(context, context.client(start=True), "ritual_create", request)
    if args.json:
        context.print(dumps(ritual))
    else:
        context.print(f"Ritual created: {ritual['name']} ({ritual['schedule']}, {ritual['zone']})\n{upcoming(ritual)}")
    return 0


def _request(args: Namespace, context: Context) -> dict[str, Any]:
    from overmind_core.system.machine import system_zone  # start-up: --help needs none

    own = {name: value for name in ("overlap", "catch_up", "keep") if (value := getattr(args, name)) is not None}
    return own | {
        "name": args.ritual,
        "schedule": args.schedule,
        "zone": args.tz or system_zone(context.environ),
        "request": os.urandom(_REQUEST_KEY).hex(),
        **(_quest(args, context) if args.apply is None else _plan(args, context)),
    }


def _quest(args: Namespace, context: Context) -> dict[str, Any]:
    if args.var:
        raise UsageError("--var needs a blueprint: add --apply FILE")
    args.name = args.parent = None
    return {"quest": quest_request(args, context)}


def _plan(args: Namespace, context: Context) -> dict[str, Any]:

    given = [_long(one) for one in QUEST_ONLY if getattr(args, one.attribute) not in (None, False, [])]
    if args.rest or given:
        raise UsageError(
            f"--apply and {given[0] if given else 'a command'} can't be used together: the blueprint defines the work"
        )
    found = load(args.apply, args.var, context, refused="No ritual was created.")
    return {"apply": apply_request(found, args.apply, context.environ)}


def _long(one: Parameter) -> str:
    return next(name for name in one.names if name.startswith("--"))


QUEST_ONLY = [one for one in run_options("--name", "--parent", "--wait") if one.names != ("--json",)]
"""Options that say what a command is to be, and mean nothing for a blueprint."""


RITUAL_CREATE = Command(
    name="ritual create",
    arguments=[
        Parameter("ritual", help="name of the ritual", metavar="name", type=mission_name),
        argument("schedule", "five cron fields, @hourly … @yearly, or @every 10m, as one word"),
    ],
    rest="CMD...",
    options=[
        option(
            "--tz", "ZONE", "time zone of the schedule, such as Europe/Berlin (default: the system's)",
            parse=time_zone,
        ),
        option(
            "--overlap", "WHAT", "skip (default) or queue a run that falls due while the previous one is running",
            choices=("skip", "queue"),
        ),
        option(
            "--catch-up", "WHAT", "runs missed without a daemon: start one (default) or none",
            choices=("none", "one"),
        ),
        option("--keep", "N", "keep N ended runs, with their missions and logs (default 10)", parse=positive_number),
        option("--apply", "FILE", "run this blueprint, as it is now, instead of a command"),
        VAR,
        *QUEST_ONLY,
        JSON,
    ],
    examples=[
        "overmind ritual create nightly '0 3 * * *' 'make backup'",
        "overmind ritual create report '30 8 * * MON-FRI' --tz Europe/Berlin --retries 2 ./report --mail",
        "overmind ritual create health '@every 10m' --overlap queue --check 'test -s health.txt' ./health",
        "overmind ritual create triage @hourly --provider claude 'look through the new issues'",
        "overmind ritual create release @weekly --apply release.toml --var base=main",
    ],
    notes=(
        "The fields are minute, hour, day of month, month and day of week: numbers, names, ranges, lists, steps; 7 "
            "is also Sunday. A time skipped by the clock in spring runs right after the gap; a time repeated in autumn "
            "runs once. @every counts from the creation. Each run is a quest, named NAME/1, NAME/2 and so on."
    ),
    run=ritual_create,
)  # fmt: skip


def ritual_delete(args: Namespace, context: Context) -> int:
    """Delete each, with its history."""
    question = f"Delete {len(args.ids)} rituals with their histories?"
    if len(args.ids) > 1 and not confirmed_removal(question, yes=args.yes):
        return FAILED
    return call_for_ids(args, context, "ritual_delete", _deleted)


def _deleted(answer: Mapping[str, Any]) -> str:
    queued = answer.get("queued")  # an older daemon does not count them
    runs = f": {queued} queued run{'' if queued == 1 else 's'} will not begin" if queued else ""
    return f"Deleted ritual {answer['name'] or answer['id']}{runs}"


RITUAL_DELETE = Command(
    name="ritual delete",
    arguments=[ritual_ids()],
    options=[YES, JSON],
    examples=["overmind ritual delete nightly"],
    notes="Before several go, it asks; a script says -y.",
    run=ritual_delete,
)


def ritual_history(args: Namespace, context: Context) -> int:
    """Print them, oldest first."""
    rows = context.client().call("ritual_history", {"id": args.id})
    empty = f"{args.id} has not run yet. Run it now with: overmind ritual run {args.id}"
    return print_rows(args, context, rows, HISTORY, empty)


RITUAL_HISTORY = Command(
    name="ritual history",
    arguments=[ritual_id()],
    options=[JSON],
    examples=["overmind ritual history nightly", "overmind ritual history nightly --json | jq '.[-1].status'"],
    notes=(
        "BY is the cause of the run: schedule, catch-up (late, for times without a daemon) or manual. A skipped "
        "run fell due while the previous one was running, a missed run while there was no daemon. Logs of a run: "
        "overmind quest logs ID"
    ),
    run=ritual_history,
)


def ritual_info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    context.print_facts(context.client().call("ritual", {"id": args.id}), args)
    return 0


RITUAL_INFO = Command(
    name="ritual info",
    arguments=[ritual_id()],
    options=[JSON],
    examples=["overmind ritual info nightly", "overmind ritual info nightly --json | jq '.upcoming[0].at'"],
    run=ritual_info,
)


NO_RITUALS = "No rituals. Create one with: overmind ritual create nightly '0 3 * * *' 'make backup'"


def ritual_list(args: Namespace, context: Context) -> int:
    """Print them, by name."""
    return print_rows(args, context, context.client().call("rituals"), COLUMNS, NO_RITUALS)


RITUAL_LIST = Command(
    name="ritual list",
    options=[JSON],
    examples=["overmind ritual list", "overmind ritual list --json | jq '.[].next_at'"],
    notes="Times are in the ritual's own time zone.",
    run=ritual_list,
)


def ritual_pause(args: Namespace, context: Context) -> int:
    """Pause each."""
    return call_for_ids(args, context, "ritual_pause", lambda answer: f"Paused ritual {answer['name']}")


RITUAL_PAUSE = Command(
    name="ritual pause",
    arguments=[ritual_ids()],
    options=[JSON],
    examples=["overmind ritual pause nightly"],
    run=ritual_pause,
)


def ritual_resume(args: Namespace, context: Context) -> int:
    """Resume each."""
    return call_for_ids(
        args, context, "ritual_resume", lambda answer: f"Resumed ritual {answer['name']}. {upcoming(answer)}"
    )


RITUAL_RESUME = Command(
    name="ritual resume",
    arguments=[ritual_ids()],
    options=[JSON],
    examples=["overmind ritual resume nightly"],
    run=ritual_resume,
)


def ritual_run(args: Namespace, context: Context) -> int:
    """Begin a run beside the schedule, which goes on as before."""
    run = context.client(start=True).call("ritual_run", {"id": args.id, "request": os.urandom(_REQUEST_KEY).hex()})
    context.print(dumps(run) if args.json else _line(run))
    return 0


def _line(run: Mapping[str, Any]) -> str:
    if run["status"] == "queued":
        return f"Queued: run {run['number']} of {run['ritual']['name']} starts when the previous one ends"
    if "/" in run["name"]:
        return f"Quest started: {run['id']} ({run['name']})"
    return f"Started plan {run['id']} ({run['name']})"


RITUAL_RUN = Command(
    name="ritual run",
    arguments=[ritual_id()],
    options=[JSON],
    examples=["overmind ritual run nightly", "overmind ritual run nightly --json"],
    run=ritual_run,
)


RITUALS = Command(
    name="rituals",
    options=[JSON],
    examples=["overmind rituals", "overmind rituals --json"],
    run=ritual_list,
)

COMMANDS = (
    RITUAL_CREATE,
    RITUAL_DELETE,
    RITUAL_HISTORY,
    RITUAL_INFO,
    RITUAL_LIST,
    RITUAL_PAUSE,
    RITUAL_RESUME,
    RITUAL_RUN,
    RITUALS,
)
