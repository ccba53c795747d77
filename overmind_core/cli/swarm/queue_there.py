"""`queue`, `board`, `cost`, `events` with `-H swarm`: what waits, how all of it stands, its cost, what happened."""

from __future__ import annotations

import time
from typing import Any

from overmind_core.cli.output import (
    ascii_text,
    coloured,
    dumps,
    is_ascii_only,
    money,
    or_absent,
    table,
    terminal_columns,
)
from overmind_core.cli.quests.board import CARDS, BoardDrawing
from overmind_core.cli.quests.queue import COLUMNS, TITLE
from overmind_core.cli.swarm.commands import swarm_client
from overmind_core.domain.text.moment import parse_time
from overmind_core.errors import UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from overmind_core.cli.context import Context

    Row = dict[str, Any]

NOTHING = "The swarm holds nothing. Post a run with: overmind run --on any 'make test'"
_COST = ("id", "name", "hive", "state", "cost_usd")
"""Of a post, for JSON."""
_EVENTS = 500
"""Of one answer."""
_EVERY = 1.0
"""Seconds between two looks for new events."""
_IN_COLUMN = {"queued": "queued", "claimed": "running", "lost": "blocked", "failed": "blocked", "done": "done",
              "cancelled": "done"}  # fmt: skip
"""State of a post → the column of its card."""
_STATUS = {"claimed": "running", "lost": "running", "done": "completed"}
"""State of a post → status of a quest, where that is another word."""


def queue(args: Namespace, context: Context) -> int:
    """Print what waits, in the order in which a hive that fits takes it."""
    if args.at is not None:
        raise UsageError("--at can't be used with -H swarm: which hives there will be, nobody knows.")
    answer: Row = swarm_client(context).call("swarm_queue")
    if args.json:
        context.print(dumps(answer))
        return 0
    lines = [f"running {answer['used']}/{answer['slots']} · queued {len(answer['posts'])}"]
    if answer["posts"]:
        columns = {title: cell for title, cell in COLUMNS.items() if title != TITLE}  # a post is known by its name
        lines.append(table(list(columns), [[cell(row) for cell in columns.values()] for row in answer["posts"]]))
    context.print(ascii_text("\n".join(lines)))
    if not answer["posts"]:
        context.hint("Nothing waits. Post a quest with: overmind quest add 'Docs' --on any -- make docs")
    return 0


def board(args: Namespace, context: Context) -> int:
    """Print all posts as cards."""
    if args.by not in {None, "priority"}:
        raise UsageError("With -H swarm the board has posts, which are of no group: --by priority.")
    client = swarm_client(context)
    rows: list[Row] = client.call("swarm_posts", {"all": True})
    if args.spec is not None:
        rows = [row for row in rows if row["spec"] == args.spec]
    asked: dict[str, str] = {}
    for one in client.call("swarm_inbox"):
        asked.setdefault(one["id"], one["summary"])
    cards: dict[str, list[Row]] = {name: [] for name in ("queued", "running", "blocked", "review", "done")}
    now = time.time()
    for row in rows:
        card = _card(row, asked.get(row["id"]), now)
        cards["review" if card.get("asked") else _IN_COLUMN[row["state"]]].append(card)
    cards["done"].sort(key=lambda card: str(card["ended_at"]), reverse=True)
    columns = [{"name": name, "count": len(found), "quests": found} for name, found in cards.items()]
    if args.json:
        context.print(dumps({"columns": columns}))
        return 0
    drawn = BoardDrawing(
        terminal_columns(),
        most=None if args.all else CARDS,
        ascii_only=is_ascii_only(),
        colours=coloured(context.environ),
    )
    context.print("\n".join(drawn.lines(columns, args.by)))
    if not rows:
        context.hint(NOTHING)
    return 0


def _card(row: Row, question: str | None, now: float) -> Row:
    """A post in the words of a quest of the board."""
    ended = now if row["ended_at"] is None else parse_time(row["ended_at"], now)
    claimed = row.get("claimed_at", row["posted_at"])
    return {
        "id": row["id"],
        "name": row["name"],
        "status": _STATUS.get(row["state"], row["state"]),
        "hive": row["hive"],
        "phase": row["phase"],
        "priority": row["priority"],
        "reason": "its hive is silent" if row["state"] == "lost" else row["reason"],
        "code": None,
        "why": row["reason"] or "",
        "ended_at": row["ended_at"],
        "duration_seconds": max(ended - parse_time(row["posted_at"], now), 0.0),
        "lasted_seconds": None if claimed is None else max(ended - parse_time(claimed, now), 0.0),
        "cost_usd": row["cost_usd"] or None,
        **({} if question is None else {"asked": question}),
    }


def cost(args: Namespace, context: Context) -> int:
    """Print what each post has cost, as far as its hive has reported that."""
    if args.since is not None or args.by not in {None, "mission"}:
        raise UsageError("--since and --by can't be used with -H swarm: it has a sum for each post. A hive's: -H NAME")
    rows = [row for row in swarm_client(context).call("swarm_posts", {"all": True}) if row["cost_usd"]]
    if args.json:
        context.print(dumps([{name: row[name] for name in _COST} for row in rows]))
    elif rows:
        lines = [[row["id"], row["name"], or_absent(row["hive"]), money(row["cost_usd"])] for row in rows]
        if len(rows) > 1:
            lines.append(["total", "", "", money(sum(row["cost_usd"] for row in rows))])
        context.print(table(["ID", "NAME", "HIVE", "COST"], lines))
    else:
        context.hint("No post has cost anything yet.")
    return 0


def events(args: Namespace, context: Context) -> int:
    """Print what happened in the swarm, a JSON object per line, then perhaps what happens."""
    number, earliest = (None, "") if args.since is None else args.since
    client, after = swarm_client(context), number or 0
    while True:
        found: Sequence[Row] = client.call("swarm_events", {"after": after, "limit": _EVENTS})
        for one in found:
            after = one["seq"]
            if one["at"] >= earliest and (not args.types or one["type"] in args.types):
                context.print(dumps(one))
        if len(found) < _EVENTS:
            if not args.follow:
                return 0
            time.sleep(_EVERY)


COMMANDS = {"queue": queue, "board": board, "cost": cost, "events": events}
"""What of `-H swarm` stands here."""
