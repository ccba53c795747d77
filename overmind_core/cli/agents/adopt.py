"""The command `adopt`: a conversation that a person has led with an agent's program goes on as a mission."""

from __future__ import annotations

import os
import time

from overmind_core.cli import caller_environment
from overmind_core.cli.agents.options import AGENT, LIMITS, MEMORY, given_agent, given_memory
from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.definitions.run import request_key
from overmind_core.cli.missions.options import POLICY, given_policy
from overmind_core.cli.output import dumps, table
from overmind_core.cli.values import label, mission_name
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.domain.text.duration import format_uptime
from overmind_core.errors import OvermindError, UsageError
from overmind_core.providers.kept_conversations import DATABASE_PROVIDER, FILE_STORES

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.agents.kept_conversations import KeptConversation, Leader
    from overmind_core.cli.context import Context

KEEPING = tuple(sorted([*FILE_STORES, DATABASE_PROVIDER]))
"""Providers whose conversations are found."""
LEAST_PREFIX = 4
"""Characters of an id that name it."""
SHOWN = 50
"""Conversations of the list, without --all."""
SAID = 20
"""Messages that the log of the mission begins with."""
_LONGEST_TEXT = 2000
"""Characters of each."""
_TITLE = 60
"""Cells."""


def adopt(args: Namespace, context: Context) -> int:
    """List the conversations of this folder, or have one go on as a mission."""
    from overmind_core.cli.agents.kept_conversations import kept_conversations  # start-up: --help needs none

    if args.session is None and args.rest:
        raise UsageError("Name the conversation before the prompt. List them with: overmind adopt")
    found = kept_conversations(context.environ, args.provider)
    if args.session is None:
        return _list(args, context, found)
    kept = _find_conversation(found, args.session)
    if not os.path.isdir(kept.cwd):
        message = f"The folder of conversation {kept.session} is gone: {kept.cwd}. Make it again, empty or not."
        raise OvermindError("cwd_not_found", message)
    _check_free(context, kept)
    mission: Mapping[str, Any] = context.client(start=True).call("run", _request(args, context, kept))
    if args.json:
        context.print(dumps({"id": mission["id"], "name": mission["name"]}))
        return 0
    short = display_safe(kept.session[:8])
    context.print(f"Adopted conversation {short} as mission {mission['id']} ({mission['name']})")
    return 0


def _list(args: Namespace, context: Context, found: Sequence[KeptConversation]) -> int:
    from overmind_core.cli.agents.kept_conversations import leaders  # start-up: --help needs none

    here = caller_environment.working_directory(None)
    fitting = [one for one in found if args.all or one.cwd == here]
    shown = fitting if args.all or args.json else fitting[:SHOWN]
    led = leaders(context.environ, shown)
    if args.json:
        context.print(dumps([_row(one, led.get(one.session)) for one in shown]))
        return 0
    if not shown:
        where = "" if args.all else " for this folder. List those of all folders with: overmind adopt --all"
        context.hint(f"No conversation of an agent is kept{where or '.'}")
        return 0
    titles = ["SESSION", "PROVIDER", "CHANGED", "STATE", *(["FOLDER"] if args.all else []), "FIRST WORDS"]
    now = time.time()
    rows = [
        [one.session, one.provider, format_uptime(max(0.0, now - one.changed)), _state(led.get(one.session)),
         *([one.cwd] if args.all else []), cut(display_safe(" ".join(one.title.split())), _TITLE)]
        for one in shown
    ]  # fmt: skip
    context.print(table(titles, rows))
    if len(shown) < len(fitting):
        context.note(f"{len(fitting) - len(shown)} older ones are not shown. All: overmind adopt --all")
    return 0


def _row(kept: KeptConversation, led: Leader | None) -> dict[str, Any]:
    return {
        "session": kept.session, "provider": kept.provider, "cwd": kept.cwd, "changed_at": kept.changed,
        "title": kept.title, "pid": led and led.pid, "state": (led and led.state) or None,
        "mission": (led and led.mission) or None, "background": (led and led.background) or None,
    }  # fmt: skip


def _state(led: Leader | None) -> str:
    if led is None:
        return "-"
    where = f"mission {led.mission}" if led.mission else f"background {led.background}" if led.background else "open"
    return f"{where}: {led.state}" if led.state else where


def _find_conversation(found: Sequence[KeptConversation], word: str) -> KeptConversation:
    """Return the conversation with this id, or the only one whose id begins so.

    Raises:
        OvermindError: `not_found`, `ambiguous`.
    """
    exact = [one for one in found if one.session == word][:1]  # of copies of one file the newest
    close = exact or [one for one in found if len(word) >= LEAST_PREFIX and one.session.startswith(word)]
    if not close:
        message = f"No conversation {word!r} is kept. List them with: overmind adopt --all"
        raise OvermindError("not_found", message)
    if len(close) > 1:
        named = ", ".join(f"{one.session} ({one.provider})" for one in close[:3])
        raise OvermindError("ambiguous", f"Several conversations begin with {word!r}: {named}. Write more of it.")
    return close[0]


def _check_free(context: Context, kept: KeptConversation) -> None:
    """Refuse a conversation that a process leads: two of them would each write a part.

    Raises:
        OvermindError: `busy`.
    """
    from overmind_core.cli.agents.kept_conversations import leaders  # start-up: --help needs none

    led = leaders(context.environ, [kept]).get(kept.session)
    if led is None:
        return
    head = f"Conversation {kept.session} is open"
    if led.mission:
        raise OvermindError("busy", f"{head} in mission {led.mission}. Talk to it with: overmind send {led.mission}")
    if led.background:
        message = f"{head} in the background of {kept.provider}. End it first: {kept.provider} stop {led.background}"
        raise OvermindError("busy", message)
    raise OvermindError("busy", f"{head} in process {led.pid}. End that first.")


def _request(args: Namespace, context: Context, kept: KeptConversation) -> dict[str, Any]:
    from overmind_core.cli.agents.kept_conversations import last_said  # start-up: --help needs none

    args.provider, args.type, args.interactive = kept.provider, "session", False
    said = [
        f"[before] {'[human] ' if one.by_person else ''}{line}"
        for one in last_said(kept, SAID)
        for line in one.text[:_LONGEST_TEXT].splitlines()
    ]
    return given_policy(args) | given_memory(args) | given_agent(args) | {
        "command": "",
        **context.starting_place(kept.cwd, clean=False),
        "type": "session",
        "isolate": False,
        "name": args.name,
        "labels": dict(args.label),
        "conversation": {"id": kept.session, "said": _newest(said), "cost_usd": kept.cost},
        "request": request_key(),
    }  # fmt: skip


def _newest(lines: Sequence[str]) -> list[str]:
    """Return as many of the last lines as the daemon takes."""
    room = 60 * 1024
    kept: list[str] = []
    for line in reversed(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]


ADOPT = Command(
    name="adopt",
    arguments=[argument("session", "id of the conversation, or at least 4 characters of its beginning", nargs="?")],
    rest="[PROMPT...]",
    options=[
        option("--provider", "NAME", "only conversations of this agent", choices=KEEPING),
        flag("--all", "list those of all folders", short="-a"),
        option("--name", "NAME", "name of the mission (default: generated)", short="-n", parse=mission_name),
        option("--label", "KEY=VALUE", "label to select it by (repeatable)", short="-l", parse=label, repeat=True),
        JSON,
        *POLICY,
        *LIMITS,
        *MEMORY,
        *AGENT,
    ],
    examples=[
        "overmind adopt                                # conversations of this folder",
        "overmind adopt --all --json",
        "overmind adopt 2c1d9e40 --name shop",
        "overmind adopt 2c1d9e40 'now write the tests'",
    ],
    notes=(
        "The conversation goes on in its own folder, as a session: talk to it with overmind send. Its earlier cost "
        "is not counted. Its last messages stand at the beginning of the log, marked [before]. One that is "
        "open elsewhere is refused, as two processes would each write a part of it: Overmind knows it of its own "
        "missions, of claude and of codex. Of the others end the program first."
    ),
    run=adopt,
)

COMMANDS = (ADOPT,)
