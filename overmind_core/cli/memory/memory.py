"""Commands about memory as a whole: memory, memory on, off, used and reindex."""

from __future__ import annotations

import time

from overmind_core.cli.command import JSON, Command, one_id, option
from overmind_core.cli.context import Context
from overmind_core.cli.memory import lines
from overmind_core.cli.memory.asking import folder
from overmind_core.cli.output import ascii_text, dumps, write_out
from overmind_core.cli.values import positive_number
from overmind_core.domain.text.cells import display_safe

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace


def memory(args: Namespace, context: Context) -> int:
    """Print the state of memory."""
    state = context.client().call("memory", {"cwd": folder()})
    context.print(dumps(state) if args.json else ascii_text("\n".join(lines.memory_lines(state, time.time()))))
    return 0


def switch_on(args: Namespace, context: Context) -> int:
    """Switch it on."""
    return _switch(args, context, on=True)


def switch_off(args: Namespace, context: Context) -> int:
    """Switch it off."""
    return _switch(args, context, on=False)


def _switch(args: Namespace, context: Context, *, on: bool) -> int:
    client = context.client()
    switched = client.call("memory_set", {"on": on})
    if args.json:
        context.print(dumps(switched))
    else:
        context.print(lines.switch_line(client.call("memory", {"cwd": folder()})))
    return 0


def used(args: Namespace, context: Context) -> int:
    """Print the notes that a mission was given, byte for byte."""
    answer = context.client().call("memory_used", {"mission": args.id, "run": args.run})
    if args.json:
        context.print(dumps(answer))
    elif answer["text"]:
        write_out(answer["text"])
    else:
        context.hint(display_safe(f"{args.id} was given no notes. See all with: overmind notes"))
    return 0


def reindex(args: Namespace, context: Context) -> int:
    """Build the index anew, and take over what can be read of a damaged memory.db."""
    answer = context.client().call("memory_reindex")
    if args.json:
        context.print(dumps(answer))
        return 0
    if answer["damaged"] is not None:
        context.print(ascii_text(lines.recovered_line(answer)))
    context.print(ascii_text(lines.reindexed_line(answer)))
    return 0


MEMORY = Command(name="memory", options=[JSON], examples=["overmind memory", "overmind memory --json"], run=memory)
ON = Command(name="memory on", options=[JSON], examples=["overmind memory on"], run=switch_on)
OFF = Command(name="memory off", options=[JSON], examples=["overmind memory off"], run=switch_off)

USED = Command(
    name="memory used",
    arguments=[one_id()],
    options=[option("--run", "N", "of this run (default: the newest that was given any)", parse=positive_number), JSON],
    examples=["overmind memory used api", "overmind memory used api --run 2"],
    run=used,
)

REINDEX = Command(
    name="memory reindex",
    options=[JSON],
    examples=["overmind memory reindex", "overmind memory reindex --json"],
    run=reindex,
)

COMMANDS = (MEMORY, ON, OFF, USED, REINDEX)
