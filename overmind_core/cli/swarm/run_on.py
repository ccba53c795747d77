"""`run --on`: a run that any fitting hive of the swarm takes."""

from __future__ import annotations

import re

from overmind_core.cli.command import flag, grouped, option
from overmind_core.cli.output import dumps
from overmind_core.cli.swarm.commands import print_hives, swarm_client
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.duration import SizeError, parse_size
from overmind_core.errors import UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.cli.context import Context

ANY = "any"
_PAIR = re.compile("([A-Za-z0-9._/-]{1,63})=(.{0,63})")
_NOT_SENT = ("cwd", "env", "umask", "request")
_WITH_ON = ("cpu", "mem", "pack", "now", "dry_run", "on_lost", "lease", "secret")


def labels(word: str) -> dict[str, str]:
    """Return the labels of `--on`; none of `any`.

    Raises:
        ValueError: a part of it is no label.
    """
    if word == ANY:
        return {}
    found: dict[str, str] = {}
    for part in word.split(","):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise ValueError(f"{part!r} is not a label: write KEY=VALUE, or any")
        found[pair[1]] = pair[2]
    return found


def _cpu(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 < value <= 4096:  # noqa: PLR2004 - more is a slip
        raise ValueError(f"{word!r} is not a number of processors: write 2, or 0.5")
    return value


def _memory(word: str) -> int:
    try:
        return parse_size(word)
    except SizeError as error:
        raise ValueError(str(error)) from None


def _lease(word: str) -> float:
    from overmind_core.cli.values import timeout_seconds  # start-up: few ask

    seconds = timeout_seconds(word)
    if seconds < 10:  # noqa: PLR2004 - see the contract of leases
        raise ValueError(f"A lease of {word} is too short: a hive that is only slow would lose it. Give 10s or more")
    return seconds


SWARM_OPTIONS = grouped(
    "On a hive of the swarm",
    [
        option("--on", "WHERE", "any, or labels such as gpu=yes,region=eu", parse=labels),
        option("--cpu", "N", "processors that it needs", parse=_cpu),
        option("--mem", "SIZE", "memory that it needs, such as 4G", parse=_memory),
        option("--secret", "NAME", "secret of the vault that it gets as a variable (repeatable)", repeat=True),
        option("--context", "NAME", "variables, secrets and place of [contexts.NAME] in config.toml"),
        flag("--pack", "prefer the fullest hive to the emptiest"),
        option("--lineage", "NAME", "next generation of NAME: one lives at a time; without --on, on this hive"),
        flag("--now", "give up when no hive takes it within 5 seconds"),
        flag("--dry-run", "post nothing; say of each hive whether it fits"),
        option("--on-lost", "WHAT", "when its hive is silent: wait (default), or move", choices=("wait", "move")),
        option("--lease", "TIME", "with move: silence after which it begins elsewhere (default 10m)", parse=_lease),
    ],
)

_OF_RUNS = frozenset({"--lineage", "--now", "--dry-run", "--on-lost"})
QUEST_OPTIONS = [
    *(one for one in SWARM_OPTIONS if not _OF_RUNS & set(one.names)),
    *grouped(
        "On a hive of the swarm",
        [option("--on-lost", "WHAT", "when its hive is silent: move (default), or wait", choices=("move", "wait"))],
    ),
]
"""For quests, which a silent hive loses to another one."""


def check(args: Namespace) -> None:
    """Refuse what means nothing without --on.

    Raises:
        UsageError: as it says.
    """
    if args.on is not None or getattr(args, "lineage", None) is not None:
        with_ = "--on" if args.on is not None else "--lineage"
        for name in ("wait", "tty", "rm", "parent"):
            if getattr(args, name, None):
                raise UsageError(f"--{name} can't be used with {with_}: it is about a mission of this machine.")
        return
    for name in _WITH_ON:
        if getattr(args, name, None):
            raise UsageError(f"--{name.replace('_', '-')} needs --on. For example: overmind run --on any 'make test'")


def take_context(args: Namespace, context: Context) -> dict[str, str]:
    """Add what the context says that a command names, if it names one, to --on and --secret; return its variables.

    Raises:
        OvermindError: `not_found`; `invalid_config`.
        UsageError: it has secrets, and the command is for one machine.
    """
    if args.context is None:
        return {}
    from overmind_core.cli.swarm.contexts import named_context  # start-up: few have any

    chosen = named_context(args.context, context)
    if context.hive is None and (args.on is not None or chosen.on is not None):
        args.on = {**(chosen.on or {}), **(args.on or {})}
        args.secret = [*args.secret, *(one for one in chosen.secrets if one not in args.secret)]
    elif chosen.secrets:
        raise UsageError(f"Context {chosen.name} has secrets, and those are for hives of the swarm. Add: --on any")
    return dict(chosen.env)


def with_variables(work: Mapping[str, Any], variables: Mapping[str, str]) -> Mapping[str, Any]:
    """Return a run or a quest with these variables, too; its own win."""
    return {**work, "env_set": {**variables, **(work.get("env_set") or {})}} if variables else work


def post_run(args: Namespace, context: Context, request: Mapping[str, Any]) -> int:
    """Post it, and say which hive has taken it, or why none has."""
    asked: dict[str, Any] = {
        "run": {name: value for name, value in request.items() if name not in _NOT_SENT},
        "on": args.on or {},
        "lineage": args.lineage,
        "here": args.on is None,
        "cpu": args.cpu or 0.0,
        "memory": args.mem or 0,
        "pack": args.pack,
        "secrets": args.secret,
        "now": args.now,
        "dry_run": args.dry_run,
        "on_lost": args.on_lost or "wait",
        "lease": args.lease or 600.0,
        "request": request["request"],
    }
    if args.cwd is not None:
        asked["run"]["cwd"] = args.cwd
    with context.waiting("Waiting for a hive that takes it."):
        answer = swarm_client(context).call("swarm_run", asked)
    if args.json:
        context.print(dumps(answer))
    elif args.dry_run:
        context.print(display_safe(f"{answer['name']}: {answer['summary']}"))
        print_hives(answer["hives"], context)
    elif answer["hive"] is not None:
        context.print(display_safe(f"Started mission {answer['id']} ({answer['name']}) on {answer['hive']}"))
    else:
        context.print(display_safe(f"Posted {answer['id']} ({answer['name']}): {answer['summary']}"))
    return 0
