"""Commands that several hives answer together: ps, top, inbox, cost, events and logs."""

from __future__ import annotations

import sys
import time
from typing import Any

from overmind_core.cli.agents import cost as costs
from overmind_core.cli.agents.inbox import inbox_text
from overmind_core.cli.context import report_error
from overmind_core.cli.hives.gather import Gathered, gather, name_of
from overmind_core.cli.missions import list as lists
from overmind_core.cli.missions.logs import LOGS
from overmind_core.cli.output import STATUS_COLOURS, coloured, dumps, redraw, table
from overmind_core.client.stream import follow
from overmind_core.client.unreadable import FAULTS, unreadable
from overmind_core.domain.hives import LOCAL
from overmind_core.errors import FAILED, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from overmind_core.cli.command import Command
    from overmind_core.cli.context import Context
    from overmind_core.client.client import Client
    from overmind_core.client.hives.hive import Hive

    Rows = list[dict[str, Any]]

HIVE = "HIVE"


def run_merged(command: Command, args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    """Ask all chosen hives and print what they answer together; 1 when one of them could not be asked."""
    return _COMMANDS[command.name](args, chosen, context)


def _finished(gathered: Gathered[Any], context: Context) -> int:
    for failure in gathered.failures.values():
        report_error(failure, context)
    return FAILED if gathered.failures else 0


def _drawn(found: Gathered[Rows], draw: Callable[[Rows], str]) -> tuple[Gathered[Rows], str]:
    """Return how all of it looks; a hive whose rows can't be drawn has failed, and hides no other."""
    try:
        return found, draw(with_hive(found))
    except FAULTS:
        odd = [name for name in found.answers if name != LOCAL and not _is_drawn(found, name, draw)]
        if not odd:
            raise
    answers = {name: rows for name, rows in found.answers.items() if name not in odd}
    failures = {**found.failures, **{name: unreadable(name) for name in odd}}
    left = Gathered(answers, failures)
    return left, draw(with_hive(left))


def _is_drawn(found: Gathered[Rows], name: str, draw: Callable[[Rows], str]) -> bool:
    try:
        draw(with_hive(Gathered({name: found.answers[name]}, {})))
    except FAULTS:
        return False
    return True


def with_hive(gathered: Gathered[Rows]) -> Rows:
    """Return the rows of all, each with `hive` first: whatever a row says, it is of who has sent it."""
    return [{"hive": name} | row | {"hive": name} for name, rows in gathered.answers.items() for row in rows]


def _ps(args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    if args.children is not None:
        raise UsageError("--children names a mission of one hive: -H NAME")

    def look(*, told: bool = True) -> Gathered[Rows]:
        return gather(chosen, context, lambda client: list(lists.fetch_rows(args, client)), told=told)  # type: ignore[arg-type]

    def draw(rows: Rows) -> str:
        return _ps_text(args, rows, context)

    if args.watch:
        redraw(lambda: _drawn(look(told=False), draw)[1], context.rendered)
    found, text = _drawn(look(), draw)
    if any(found.answers.values()) or args.json:
        context.print(text)
    else:
        context.hint("No missions. Start one with: overmind run -H HIVE 'make test'")
    return _finished(found, context)


def _ps_text(args: Namespace, rows: Rows, context: Context) -> str:
    if args.json:
        keys = ("hive", *lists.KEYS)
        return dumps(rows if args.wide else [{key: row[key] for key in keys if key in row} for row in rows])
    if args.quiet:
        return "\n".join(row["id"] if row["hive"] == LOCAL else f"{row['hive']}/{row['id']}" for row in rows)
    columns = {HIVE: lambda row: row["hive"], **lists.COLUMNS, **(lists.WIDE if args.wide else {})}
    colours = STATUS_COLOURS if coloured(context.environ) else None
    cells = [[cell(row) for cell in columns.values()] for row in rows]
    return table(list(columns), cells, colours=colours, stays=lists.STAYS)


def _top(args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    if args.ids:
        raise UsageError("top of several hives shows all missions: leave out the names, or give one hive")

    def look(*, told: bool = True) -> Gathered[Rows]:
        return gather(chosen, context, lambda client: client.call("top"), told=told)

    def text(rows: Rows) -> str:
        if args.json:
            return dumps(rows)
        colours = STATUS_COLOURS if coloured(context.environ) else None
        return table((HIVE, *lists.TITLES), [[row["hive"], *lists.top_cells(row)] for row in rows], colours=colours)

    if not args.once and (args.json or sys.stdout.isatty()):
        redraw(lambda: _drawn(look(told=False), text)[1], context.rendered)
    found, shown = _drawn(look(), text)
    if not any(found.answers.values()) and not args.json:
        context.hint(lists.NONE_LIVE)
    context.print(shown)
    return _finished(found, context)


def _inbox(args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    def look(*, told: bool = True) -> Gathered[Rows]:
        return gather(chosen, context, lambda client: client.call("inbox"), told=told)

    def text(rows: Rows) -> str:
        if args.json:
            return dumps(rows)
        numbered = [row if row["hive"] == LOCAL else _numbered(row) for row in rows]
        oldest = sorted(numbered, key=lambda row: row["asked_at"])
        return inbox_text(oldest, time.time(), bold=coloured(context.environ))

    if args.watch:
        redraw(lambda: _drawn(look(told=False), text)[1], context.rendered)
    found, shown = _drawn(look(), text)
    if shown:
        context.print(shown)
    else:
        context.hint("Nothing needs your attention on any of these hives.")
    return _finished(found, context)


def _numbered(question: dict[str, Any]) -> dict[str, Any]:
    """Return a question as it is answered from here."""
    hive = question["hive"]
    return {**question, "question": f"{hive}/{question['question']}", "name": f"{hive}/{question['name']}"}


def _cost(args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    by = args.by or "mission"
    request = {"by": by} | ({} if args.since is None else {"since": args.since})

    def draw(rows: Rows) -> str:
        return dumps(rows) if args.json else costs.cost_table(rows, by, hives=True)

    found, text = _drawn(gather(chosen, context, lambda client: client.call("cost", request)), draw)
    if not any(found.answers.values()) and not args.json:
        context.hint(costs.NOTHING)
    context.print(text)
    return _finished(found, context)


def _events(args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    if args.follow:
        raise UsageError("events -f follows one hive: -H NAME")
    after, earliest = (None, "") if args.since is None else args.since
    if after is not None:
        raise UsageError("Each hive counts its own events: give --since as a time")

    def ask(client: Client) -> Rows:
        wanted = {"types": args.types} if args.types else {}
        return [item for kind, item in follow(client, lambda: ("events", wanted)) if kind == "item"]

    def draw(rows: Rows) -> str:
        return "\n".join(dumps(row) for row in sorted(rows, key=lambda one: one["at"]) if row["at"] >= earliest)

    found, text = _drawn(gather(chosen, context, ask), draw)
    if text:
        context.print(text)
    return _finished(found, context)


def _logs(args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    if args.follow or args.ids:
        raise UsageError("Logs of several hives are shown as they are, of all missions: name one hive, or no missions")
    found = gather(chosen, context, lambda client: client.connect())
    for hive in chosen:
        if name_of(hive) in found.answers:
            context.hive = hive
            try:
                LOGS.run(args, context)
            except FAULTS:
                if hive is None:
                    raise
                found.failures[hive.name] = unreadable(hive.name)
    context.hive = None
    return _finished(found, context)


_COMMANDS: dict[str, Callable[[Namespace, Sequence[Hive | None], Context], int]] = {
    "ps": _ps,
    "top": _top,
    "inbox": _inbox,
    "cost": _cost,
    "events": _events,
    "logs": _logs,
}
"""Those of `elsewhere.MERGED`."""
