"""`overmind demo spec`: a spec from its brief to merged work, done by a script, and removed without a trace."""

from __future__ import annotations

import os

from overmind_core.cli import caller_environment
from overmind_core.cli.context import Context
from overmind_core.cli.demo_notes import purge_notes
from overmind_core.cli.output import dumps
from overmind_core.demo import project, spec_project
from overmind_core.demo.project import SHOP
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.paragraphs import stands
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.client import Client

    Row = Mapping[str, Any]

_ENDED = frozenset({"stopped", "crashed", "killed"})
_RESTS = frozenset({"draft", "failed", "stuck"})
"""States of a spec in which nothing of it goes on, though it is not done."""
_OVER = frozenset({"completed", "failed", "cancelled"})
_ROUNDS = 5
"""How often is looked for what has begun while the rest was being ended."""
_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def root_of(context: Context) -> str:
    """Return its folder, as git names it: without links on the way."""
    return os.path.join(os.path.realpath(context.home.root), spec_project.FOLDER)


# starting


def start(args: Namespace, context: Context, client: Client) -> str:
    """Start it, unless there is one that is not done; return its slug. The home is locked by the caller."""
    root = root_of(context)
    there = specs_in(client, to_wire(root))
    left = next((one for one in there if one["state"] not in {"done", "archived"}), None)
    if left is None:
        remove(client, root)
    spec = left or _new(context, client, root)
    named = f"spec {spec['id']} ({spec['slug']})"
    if args.json:
        context.print(dumps({"id": spec["id"], "slug": spec["slug"], "started": left is None}))
    elif left is None:
        context.print(f"Started {named}: six tasks of a small shop, done by a script")
    elif left["state"] in _RESTS:
        ways = f"See why: overmind spec show {left['slug']}. To begin anew: overmind demo spec stop"
        context.print(f"Not started: {named} {stands(left['state'])}. {ways}")
    else:
        context.print(f"Already running: {named}")
    return str(spec["slug"])


def _new(context: Context, client: Client, root: str) -> Row:
    if os.path.lexists(root):
        raise OvermindError(
            "invalid", f"{to_wire(root)} exists, and this demonstration did not create it. Remove it first."
        )
    if not spec_project.write(root, context.environ):
        project.remove(root)
        raise OvermindError("git_failed", "The demonstration of specs needs git, which is missing or has failed.")
    try:
        return _created(context, client, root)
    except OvermindError:
        project.remove(root)
        raise


def _created(context: Context, client: Client, root: str) -> Row:
    made: Row = client.call(
        "spec_new",
        {
            **spec_project.request(root),
            "cwd": to_wire(os.path.join(root, SHOP)),
            "umask": caller_environment.current_umask(),
            "env": {
                name: value
                for name, value in caller_environment.inherited_variables(context.environ, clean=False).items()
                if not name.startswith("GIT_")
            },
            "request": os.urandom(_KEY).hex(),
        },
    )
    client.call("spec_run", {"id": made["id"]})
    return made


def specs_in(client: Client, root: str) -> list[Row]:
    """Return the specs whose folder is inside of the demonstration's."""
    return [one for one in client.call("specs", {"all": True}) if spec_project.is_inside(one["folder"], root)]


# removing


class Removed:
    """How much was removed."""

    __slots__ = ("missions", "quests", "specs")

    def __init__(self) -> None:
        self.specs = self.quests = self.missions = 0

    def line(self) -> str:
        """For people."""
        return f"Removed the demo spec: {_count(self.quests, 'quest')}, {_count(self.missions, 'mission')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def remove(client: Client, root: str) -> Removed:
    """End and forget all of it, and remove the folder; with nothing there that is done already.

    Raises:
        OvermindError: something of it can't be ended or removed.
    """
    removed, inside = Removed(), to_wire(root)
    specs = specs_in(client, inside)
    for spec in specs:
        if spec["state"] != "archived":
            client.call("spec_archive", {"id": spec["id"]})
    quests = [quest for spec in specs for quest in _cancelled(client, spec["id"])]
    removed.missions = _remove_missions(client, inside)
    for spec in specs:
        client.call("spec_forget", {"id": spec["id"]})
    purge_notes(client, quests, root)  # what they have taught
    removed.specs, removed.quests = len(specs), len(quests)
    project.remove(root)
    return removed


def _cancelled(client: Client, spec: str) -> list[str]:
    """End what is unfinished of a spec; return its quests."""
    rows: list[Row] = client.call("quests", {"spec": spec})
    live = [row["id"] for row in rows if row["status"] not in _OVER]
    if live:
        client.call_each("quest_cancel", [{"id": one} for one in live])
        client.call("quest_wait", {"ids": live})
    return [row["id"] for row in rows]


def _remove_missions(client: Client, root: str) -> int:
    """End those that work in the folder, and forget them with what they had of their own."""
    removed = 0
    problems: list[OvermindError] = []
    for _ in range(_ROUNDS):
        ours = [row for row in client.call("ps", {"all": True}) if spec_project.is_inside(row["cwd"], root)]
        if not ours:
            return removed
        each = [{"id": row["id"]} for row in ours]
        client.call_each("kill", [{"id": row["id"]} for row in ours if row["status"] not in _ENDED])
        client.call_each("discard", [{**one, "force": True} for one in each])
        answers = client.call_each("rm", each)
        problems = [answer for answer in answers if isinstance(answer, OvermindError)] or problems
        removed += sum(not isinstance(answer, OvermindError) for answer in answers)
    raise problems[0] if problems else OvermindError("busy", "Something keeps starting in the folder. Try again.")
