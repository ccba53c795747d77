"""Commands that list missions and show one: ps, monitor, top, info."""

from __future__ import annotations

import sys

from overmind_core.cli.command import JSON, Command, flag, ids, one_id, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import (
    ABSENT,
    STATUS_COLOURS,
    activity_cell,
    branches,
    coloured,
    command_cell,
    cost,
    dumps,
    or_absent,
    redraw,
    size,
    table,
    tokens,
)
from overmind_core.cli.values import label_filter, outcome_word, status_word
from overmind_core.domain.missions.lost import KEEPER_LOST, MEND, lost_sentence
from overmind_core.domain.missions.lost import NOW as LOST_NOW
from overmind_core.domain.missions.reasons import SPENT, short_word
from overmind_core.domain.text.duration import format_uptime

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client

    Row = Mapping[str, Any]


def now_cell(row: Row) -> str:
    """Return what it is at now, or what became of it."""
    if row.get("reason") == KEEPER_LOST and row.get("status") == "crashed":
        return LOST_NOW
    text = or_absent((row.get("isolation") or {}).get("step") or row.get("now"))
    return f"{_next_try(row)}{text}"


def _next_try(row: Row) -> str:
    """Return in how long the work of an ended mission is tried again, before why; "" where it doesn't wait for that."""
    if not row.get("next_try_at"):
        return ""
    import time

    from overmind_core.domain.text.moment import parse_time  # start-up: few rows need it

    now = time.time()
    left = parse_time(row["next_try_at"], now) - now
    return f"next try in {format_uptime(left)} · " if left > 0 else ""


def exit_cell(row: Row) -> str:
    """Return how it ended: its code, the signal that ended it, `timeout`, or what it failed in: `check`, `restarts`.

    Of what has not ended, nothing.
    """
    if row.get("outcome") == "timed out":
        return "timeout"
    if failure := row.get("quest_failure"):
        return short_word(failure)
    code = row["exit_code"]
    if not code and row.get("reason") == SPENT:
        return short_word(SPENT)
    if code is not None and code > SIGNALLED:
        import signal  # start-up: for what a signal has ended

        try:
            return signal.Signals(code - SIGNALLED).name.removeprefix("SIG")
        except ValueError:
            pass
    return or_absent(code)


def changed_cell(row: Row) -> str:
    """Lines that it has changed in its worktree: `+120 -14`."""
    found = row.get("changed_lines") or {}
    parts = (f"{sign}{found[what]}" for sign, what in (("+", "added"), ("-", "removed")) if found.get(what))
    return or_absent(" ".join(parts))


SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a program."""
PLAN = "plan"
"""For people the type that JSON calls `blueprint`: a blueprint is the file, and a plan what runs."""
COLUMNS: dict[str, Callable[[Row], str]] = {
    "ID": lambda row: row["id"],
    "NAME": lambda row: row["name"],
    "TYPE": lambda row: PLAN if row["type"] == "blueprint" else row["type"],
    "STATUS": lambda row: row["status"],
    "RESTARTS": lambda row: str(row["restart_count"]),
    "PARENT": lambda row: or_absent(row["parent"]),
    "CHILDREN": lambda row: str(len(row["children"])),
    "UPTIME": lambda row: ABSENT if row["uptime_seconds"] is None else format_uptime(row["uptime_seconds"]),
    "EXIT": exit_cell,
    "COMMAND": lambda row: command_cell(row["command"]),
}
"""Title → cell of a row of `ps --json`."""

WIDE: dict[str, Callable[[Row], str]] = {
    "CPU%": lambda row: ABSENT if row.get("cpu_percent") is None else f"{row['cpu_percent']:.1f}",
    "MEM": lambda row: size(row.get("memory_bytes")),
    "ACTIVITY": activity_cell,
    "COST": cost,
    "CHANGED": changed_cell,
    "SOURCE": lambda row: or_absent(row.get("activity_source")),
    "NOW": now_cell,
}
"""More columns, with --wide."""
STAYS = "NOW"
"""The one for which people ask for them: on a narrow terminal it is left out last."""


KEYS = (
    "id", "name", "type", "status", "reason", "restart_count", "parent", "children", "exit_code", "started_at",
    "ended_at", "uptime_seconds", "command", "cwd", "labels", "provider", "activity", "outcome", "changed_lines",
)  # fmt: skip
"""Of `ps --json`; with --wide whatever else is known of a row."""


def ps(args: Namespace, context: Context) -> int:
    """Print the missions once, or again and again."""
    client = context.client()
    if args.watch:
        redraw(lambda: render(args, context, fetch_rows(args, client)), context.rendered)
    rows = fetch_rows(args, client)
    if not rows and not args.json:
        context.hint(_empty(args))
    text = render(args, context, rows)
    if text:
        context.print(text)
    if not args.json and not args.quiet:
        _print_omitted(args, rows, context)
    return 0


RECENT = 100
"""Missions that have ended, of those that plain `ps` shows."""


def _print_omitted(args: Namespace, rows: Sequence[Row], context: Context) -> None:
    """Tell about rows left out, and about a dead keeper: its missions have not crashed by themselves."""
    lost = sum(bool(row.get("lost")) for row in rows)
    if not _is_filtered(args) and sum(row.get("ended_at") is not None for row in rows) - lost >= RECENT:
        context.hint(f"Only the newest {RECENT} ended missions are shown. See all with: overmind ps --all")
    if lost:
        context.note(lost_sentence(lost))


def _is_filtered(args: Namespace) -> bool:
    return bool(args.all or args.status or args.outcome or args.failed or args.label or args.children or args.json)


def _empty(args: Namespace) -> str:
    if args.status or args.outcome or args.failed or args.label or args.children:
        return "No missions match. See all with: overmind ps --all"
    return "No missions. Start one with: overmind run 'make test'"


def fetch_rows(args: Namespace, client: Client) -> Sequence[Row]:
    """Return the rows that the options select, by start time."""
    wanted = {"all": args.all, "status": args.status, "label": args.label, "wide": args.wide}
    if outcomes := [*args.outcome, *(FAILURES if args.failed else ())]:
        wanted["outcome"] = outcomes
    if not _is_filtered(args):
        wanted["recent"] = 0 if args.quiet else RECENT
    if args.children is not None:
        wanted["children"] = args.children
    rows: Sequence[Row] = client.call("ps", wanted)
    if args.quiet and not (args.all or args.status or outcomes or args.children):
        return [row for row in rows if row["status"] not in ENDED]  # `kill $(overmind ps -q)` is about live ones
    return rows


ENDED = frozenset({"stopped", "crashed", "killed"})
FAILURES = ("failed", "timed out", "lost")
"""Outcomes that nobody wanted."""


def render(args: Namespace, context: Context, rows: Sequence[Row]) -> str:
    """Return rows as the options want them shown."""
    if args.json:
        return dumps(rows if args.wide else [{key: row[key] for key in KEYS if key in row} for row in rows])
    if args.quiet:
        return "\n".join(row["id"] for row in rows)
    columns = {**COLUMNS, **WIDE} if args.wide else COLUMNS
    colours = STATUS_COLOURS if coloured(context.environ) else None
    cells = [_cells(columns, *branch) for branch in _branches(rows, drawn=args.tree)]
    return table(list(columns), cells, colours=colours, stays=STAYS)


def _branches(rows: Sequence[Row], *, drawn: bool) -> Sequence[tuple[str, Row]]:
    if not drawn:
        return [("", row) for row in rows]

    return branches(rows)


def _cells(columns: Mapping[str, Callable[[Row], str]], prefix: str, row: Row) -> list[str]:
    return [(prefix if title == "NAME" else "") + cell(row) for title, cell in columns.items()]


FILTERS = [
    flag("--all", "include killed missions and all ended ones", short="-a"),
    option("--status", "STATUS", "only missions with this status (repeatable)", parse=status_word, repeat=True),
    option("--outcome", "OUTCOME", "only missions that ended so: failed, timed-out, stopped … (repeatable)",
           parse=outcome_word, repeat=True),
    flag("--failed", "only missions that failed, timed out or were lost"),
    option("--label", "KEY[=VALUE]", "only missions with this label (repeatable)",
           short="-l", also=["--selector"], parse=label_filter, repeat=True),
    option("--children", "ID", "only the children of this mission"),
    flag("--tree", "show children under their parents"),
    flag("--wide", "show CPU%%, MEM, ACTIVITY, COST and more too", short="-w"),
]  # fmt: skip

PS = Command(
    name="ps",
    options=[
        *FILTERS,
        flag(
            "--quiet",
            "print ids only: those of live missions, unless --all, --status, --outcome or --children selects others",
            short="-q",
        ),
        flag("--watch", "refresh every second until ctrl-c"),
        JSON,
    ],
    examples=[
        "overmind ps",
        "overmind ps --all --tree",
        "overmind ps --failed",
        "overmind ps -q --outcome succeeded",
        "overmind ps -l team=web -o yaml",
        "overmind kill $(overmind ps -q)",
    ],
    notes=(
        "UPTIME is the time since a mission's newest run began, and of an ended one how long that took. In JSON, "
        "started_at is when its first run began."
    ),
    run=ps,
)


def monitor(args: Namespace, context: Context) -> int:
    """Show both until ctrl-c."""
    client = context.client()
    args.quiet = False

    def draw() -> str:
        facts = client.call("status")
        rows = fetch_rows(args, client)
        if args.json:
            return dumps({"status": facts, "missions": rows})
        from overmind_core.cli.status import status_text  # `ps` begins without the daemon's commands

        return f"{status_text(facts)}\n\n{render(args, context, rows)}"

    redraw(draw, context.rendered)


MONITOR = Command(
    name="monitor",
    options=[*FILTERS, JSON],
    examples=["overmind monitor", "overmind monitor --tree --wide"],
    run=monitor,
)


TITLES = ("ID", "NAME", "STATUS", "CPU%", "MEM", "OUTPUT/S", "PROCESSES", "COST", "TOKENS")


def top(args: Namespace, context: Context) -> int:
    """Show it until ctrl-c, or once: a table in a pipe has nobody there to end it. JSON is a stream for programs."""
    client = context.client()

    def find() -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = client.call("top")
        if args.ids:
            wanted = {row["id"] for row in client.call("ps", {"ids": args.ids})}
            rows = [row for row in rows if row["id"] in wanted]
        return rows

    def drawn(rows: Sequence[Mapping[str, Any]]) -> str:
        return dumps(rows) if args.json else _render_top(rows, context)

    if not args.once and (args.json or sys.stdout.isatty()):
        redraw(lambda: drawn(find()), context.rendered)
    rows = find()
    if not rows and not args.json:
        context.hint(NONE_OF_THESE if args.ids else NONE_LIVE)
    context.print(drawn(rows))
    return 0


NONE_LIVE = "No mission runs. Start one with: overmind run 'make test'"
NONE_OF_THESE = "None of these runs."


def _render_top(rows: Sequence[Mapping[str, Any]], context: Context) -> str:
    return table(TITLES, list(map(top_cells, rows)), colours=STATUS_COLOURS if coloured(context.environ) else None)


def top_cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a row of `top`, one for each of `TITLES`."""
    cpu = row["cpu_percent"]
    return [
        row["id"],
        row["name"],
        row["status"],
        ABSENT if cpu is None else f"{cpu:.1f}",
        size(row["memory_bytes"]),
        size(row["output_bytes_per_second"]),
        str(row["processes"]),
        cost(row),
        _spent(row.get("tokens")),
    ]


def _spent(counted: Mapping[str, int] | None) -> str:
    """Return tokens in and out."""
    return ABSENT if counted is None else f"{tokens(counted['input'])} / {tokens(counted['output'])}"


TOP = Command(
    name="top",
    arguments=[ids(nargs="*")],
    options=[flag("--once", "print once and exit (the default for a table in a pipe)", also=["--no-stream"]), JSON],
    examples=["overmind top", "overmind top api worker", "overmind top --once --json"],
    run=top,
)


def info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    facts = context.client().call("info", {"id": args.id, "env": args.env or args.reveal, "reveal": args.reveal})
    context.print_facts(facts, args)
    if facts.get("lost") and not args.json:
        again = f"Start it again with: overmind restart {facts['id']}, all of them with: {MEND}"
        context.hint(f"It was {LOST_NOW}. {again}")
    return 0


INFO = Command(
    name="info",
    arguments=[one_id()],
    options=[
        flag("--env", "show the names of its environment variables too"),
        flag("--reveal", "show their values too"),
        JSON,
    ],
    examples=["overmind info api", "overmind info api --json | jq .exit_code"],
    run=info,
)

COMMANDS = (PS, MONITOR, TOP, INFO)
