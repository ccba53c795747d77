"""A command for another hive: what -H names, what a name such as `eu1/api` names, and which commands that is for."""

from __future__ import annotations

from overmind_core.cli.command import NAMED, named_things
from overmind_core.cli.hives.only_here import check_not_only_here
from overmind_core.client.hives.config import named, read_hives
from overmind_core.client.hives.pool_hives import instance_hive, is_instance
from overmind_core.client.unreadable import FAULTS, unreadable
from overmind_core.domain.hives import ALL, LOCAL, SWARM, names_in
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from overmind_core.cli.command import Command
    from overmind_core.cli.context import Context
    from overmind_core.client.hives.hive import Hive

MERGED = ("ps", "events", "inbox", "top", "cost", "logs")
"""Commands that several hives answer together."""


INSIDE = "reach other machines"
"""What a process inside a mission may not do: no daemon there could know of which mission it is."""


def choose_hives(command: Command, words: Sequence[str], context: Context) -> list[Hive | None]:
    """Return the hives that -H names, each once; None is this machine.

    Raises:
        OvermindError: `hive_unknown`, `no_swarm`, `invalid_config`.
        UsageError: the command is not for other hives, or not for several.
    """
    try:
        names = names_in(words)
    except ValueError as error:
        raise UsageError(str(error)) from None
    check_not_only_here(command.name)
    if SWARM in names:
        raise UsageError(f"-H {SWARM} stands alone: the swarm is no hive.")
    known = read_hives(context.home.config)
    several = ALL in names or len(names) > 1
    if several and command.name not in MERGED:
        raise UsageError(f"{command.name} is for one hive at a time: -H {names[0] if names[0] != ALL else 'NAME'}")
    chosen = [None if name == LOCAL else _reached(known, name, context) for name in names if name != ALL]
    return [None, *known.values()] if ALL in names else chosen


def hive_of_names(command: Command, args: Namespace, context: Context) -> Hive | None:
    """Return the hive that the words of a command name, as in `logs eu1/api`, and leave the bare names in `args`.

    Raises:
        UsageError: they name several hives, or the command is not for another one.
        OvermindError: `ambiguous`, the first word is a plan of this machine, too.
    """
    known = read_hives(context.home.config)
    firsts = {name.partition("/")[0] for name in named_things(args) if "/" in name}
    found = {first for first in firsts if first in known or is_instance(context.home.config, first)}
    if not found:
        return None
    if len(found) > 1 or any(name.partition("/")[0] not in found for name in named_things(args)):
        raise UsageError("Name missions of one hive at a time.")
    (hive,) = found
    check_not_only_here(command.name)
    _refuse_ambiguous(hive, context)
    for attribute in NAMED:
        value = getattr(args, attribute, None)
        if isinstance(value, str):
            setattr(args, attribute, value.removeprefix(f"{hive}/"))
        elif isinstance(value, list):
            setattr(args, attribute, [one.removeprefix(f"{hive}/") for one in value])
    return _reached(known, hive, context)


def _reached(known: Mapping[str, Hive], name: str, context: Context) -> Hive:
    """Return the hive of that name: one of config.toml, or an instance of one of its pools."""
    return (None if name in known else instance_hive(context.home.config, name)) or named(known, name)


def _refuse_ambiguous(hive: str, context: Context) -> None:
    from overmind_core.client.stream import call_if_running  # start-up: only here

    plans: Sequence[Mapping[str, object]] = call_if_running(context.home, "plans") or []
    if any(plan.get("name") == hive for plan in plans):
        raise OvermindError(
            "ambiguous", f"{hive} is a hive and a plan of this machine. Say which: -H {hive}, or -H {LOCAL}"
        )


def is_for_swarm(words: Sequence[str], args: Namespace) -> bool:
    """Whether -H names the swarm, or each name of the command begins with `swarm/`, which is then taken off."""
    if words:
        return [name for word in words for name in word.split(",")] == [SWARM]
    names = named_things(args)
    prefix = f"{SWARM}/"
    if not names or not all(name.startswith(prefix) for name in names):
        return False
    for attribute in NAMED:
        value = getattr(args, attribute, None)
        if isinstance(value, str):
            setattr(args, attribute, value.removeprefix(prefix))
        elif isinstance(value, list):
            setattr(args, attribute, [one.removeprefix(prefix) for one in value])
    return True


def run_elsewhere(command: Command, args: Namespace, chosen: Sequence[Hive | None], context: Context) -> int:
    """Run a command for the hives that were chosen; return its exit status."""
    if len(chosen) == 1:
        context.hive = hive = chosen[0]
        try:
            return command.run(args, context)
        except FAULTS as error:
            if hive is None:
                raise
            raise unreadable(hive.name) from error
    from overmind_core.cli.hives.merged import run_merged  # start-up: only for several

    return run_merged(command, args, chosen, context)
