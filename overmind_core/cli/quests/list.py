"""`overmind quest list`: the quests as a table, as JSON, or as a drawing of what needs what."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import (
    coloured,
    command_cell,
    dumps,
    is_ascii_only,
    or_absent,
    table,
    terminal_columns,
    text_cell,
)
from overmind_core.cli.quests.rows import BLOCKING, COLOURS, is_blocked, lasted_cell, score_cell, title_cell
from overmind_core.cli.values import positive_number, quest_status_word
from overmind_core.domain.missions.reasons import (
    achievement_of,
    landing_waits,
    quest_exit,
    tries_text,
    why_failed,
    with_overdue,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]
    Edges = Mapping[str, Sequence[str]]


def _why(row: Row) -> str | None:
    """Return why it has ended, else why it waits."""
    said = achievement_of(row) or landing_waits(row) or why_failed(row) or row.get("why") or row.get("code") or ""
    return text_cell(with_overdue(said, overdue=bool(row.get("overdue")))) or None


def _why_beside_waits(row: Row) -> str | None:
    """Return the same without why it waits: the column WAITS says that."""
    return _why({**row, "why": None, "code": None} if row.get("why") else row)


COLUMNS: dict[str, Callable[[Row], str]] = {
    "ID": lambda row: row["id"],
    "NAME": lambda row: row["name"],
    "STATUS": lambda row: row["status"],
    "TRIES": tries_text,
    "DURATION": lasted_cell,
    "EXIT": lambda row: or_absent(quest_exit(row)),
    "REASON": lambda row: or_absent(_why(row)),
    "COMMAND": lambda row: command_cell(row["command"]),
}
"""Title → cell of a row of `quest list --json`."""

WIDE: dict[str, Callable[[Row], str]] = {
    "PRIORITY": lambda row: or_absent(row.get("priority")),
    "SCORE": score_cell,
    "NEEDS": lambda row: or_absent(text_cell(", ".join(one["name"] for one in row.get("needs") or ()))),
    "WAITS": lambda row: or_absent(text_cell(row.get("why") or "")),
}
"""More columns, with --wide."""

LAST: dict[str, Callable[[Row], str]] = {"TITLE": title_cell}
"""Behind all others, for people: those before it stand where scripts look for them."""

ENDED = frozenset({"completed", "failed", "cancelled"})


def quest_list(args: Namespace, context: Context) -> int:
    """Print them, oldest first."""
    rows = context.client().call("quests", _request(args))
    if not rows and not args.json:
        context.hint(_empty(args))
    if args.json:
        context.print(dumps(rows))
    elif args.graph or args.mermaid:
        text = mermaid_text(rows) if args.mermaid else graph_text(rows, terminal_columns(), ascii_only=is_ascii_only())
        context.print(text)
    else:
        colours = COLOURS if coloured(context.environ) else None
        context.print(quest_table(rows, wide=args.wide, colours=colours))
    return 0


def _request(args: Namespace) -> dict[str, Any]:
    given = {"limit": args.limit, "ready": args.ready or None, "spec": args.spec}
    return {"status": args.status, **{name: value for name, value in given.items() if value is not None}}


def _empty(args: Namespace) -> str:
    if args.ready:
        return "No quest is ready. See why with: overmind queue"
    if args.status or args.spec is not None:
        return "No quests match. See all with: overmind quest list"
    return "No quests. Start one with: overmind quest run 'make test'"


def quest_table(rows: Sequence[Row], *, wide: bool, colours: Mapping[str, str] | None) -> str:
    """Return the table of quests."""
    columns = {**COLUMNS, **({**WIDE, "REASON": lambda row: or_absent(_why_beside_waits(row))} if wide else {}), **LAST}
    return table(list(columns), [[cell(row) for cell in columns.values()] for row in rows], colours=colours)


def graph_text(rows: Sequence[Row], columns: int, *, ascii_only: bool) -> str:
    """Return the drawing of what needs what, as `agents --graph` draws a blueprint."""
    from overmind_core.domain.text.graph_drawing import draw

    edges, _ = graph(rows)
    return "\n".join(row.text for row in draw(edges, columns=columns, ascii_only=ascii_only))


def mermaid_text(rows: Sequence[Row]) -> str:
    """Return the same as the text of a flowchart."""
    from overmind_core.domain.text.graph_drawing import mermaid

    edges, states = graph(rows)
    return mermaid(edges, states).removesuffix("\n")


def graph(rows: Sequence[Row]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return what each quest needs, and how each stands.

    Of those that have ended only the ones are in it that an unfinished one needs, through any depth; where all have
    ended, all are. A name that several have is told apart by the id.
    """
    by_id = {row["id"]: row for row in rows}
    shown = _connected(by_id) or set(by_id)
    bearers: dict[str, int] = {}
    for one in shown:
        bearers[by_id[one]["name"]] = bearers.get(by_id[one]["name"], 0) + 1
    label = {
        one: row["name"] if bearers[row["name"]] == 1 else f"{row['name']} ({one})"
        for one, row in by_id.items()
        if one in shown
    }
    edges = {
        name: [label[need["id"]] for need in by_id[one].get("needs") or () if need["id"] in label]
        for one, name in label.items()
    }
    return edges, {name: _state(by_id[one]) for one, name in label.items()}


def _state(row: Row) -> str:
    return BLOCKING if is_blocked(row) else row["status"]


def _connected(by_id: Mapping[str, Row]) -> set[str]:
    """The unfinished ones, and all that they need."""
    found: set[str] = set()
    waiting = [one for one, row in by_id.items() if row["status"] not in ENDED]
    while waiting:
        one = waiting.pop()
        if one in by_id and one not in found:
            found.add(one)
            waiting += [need["id"] for need in by_id[one].get("needs") or ()]
    return found


QUEST_LIST = Command(
    name="quest list",
    options=[
        option(
            "--status",
            "STATUS",
            "only quests with this status: queued, running, review, completed, failed or cancelled (repeatable)",
            parse=quest_status_word,
            repeat=True,
        ),
        flag("--ready", "only quests of the queue that could start now, were a slot free"),
        option("--spec", "SPEC", "only quests of this spec"),
        option("--limit", "N", "only the newest N quests", parse=positive_number),
        flag("--wide", "show PRIORITY, SCORE, NEEDS and WAITS too", short="-w"),
        flag("--graph", "draw what needs what: unfinished quests, and those they need"),
        flag("--mermaid", "print that drawing as a Mermaid flowchart"),
        JSON,
    ],
    examples=[
        "overmind quest list",
        "overmind quest list --status failed --json",
        "overmind quest list --ready --wide",
        "overmind quest list --graph",
        "overmind quest list --limit 20",
    ],
    notes=(
        "TRIES: number of the newest try, and how many there may be as it stands; one that does not count adds to "
        "both. DURATION: since its first try began; of one that has not begun, how long it waits. REASON: of a "
        "queued quest, why it does not start yet; the whole sentence: overmind quest why. "
        "The last 1,000 ended quests are kept."
    ),
    run=quest_list,
)

COMMANDS = (QUEST_LIST,)
