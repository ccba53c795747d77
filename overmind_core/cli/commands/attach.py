"""`overmind attach`: a mission's terminal on this one."""

from __future__ import annotations

import contextlib

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command, flag, one_id, option
from overmind_core.client.detachkey import LEAVE, Key, parse
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from overmind_core.cli.attach.leaving import Left
    from overmind_core.cli.attach.terminal import Terminal
    from overmind_core.client.attachment import Attachment


def attach(args: Namespace, context: Context) -> int:
    """Stay until the person leaves or the mission ends; then exit as it did."""
    from overmind_core.cli.attach.terminal import Terminal
    from overmind_core.client.attachment import Attachment
    from overmind_core.client.detachsettings import detach_keys

    if not Terminal.here():
        raise OvermindError(
            "invalid", f"attach needs a terminal for input and output. Elsewhere: overmind logs -f {args.id}"
        )
    keys = [LEAVE, *detach_keys(context.home.config), *args.detach_key]
    terminal = Terminal()
    columns, rows = terminal.size()
    context.client().connect()  # it also says when the daemon is older than this program
    wish = {"id": args.id, "read_only": args.read_only, "keep": args.keep, "columns": columns, "rows": rows}
    attachment = Attachment(context.home, wish)
    try:
        left = _stay(terminal, attachment, keys, context)
    finally:
        attachment.close()
    with contextlib.suppress(OSError):  # the terminal is gone, and with it whoever would read this
        context.note(f"[{left.sentence}]")
    return int(left.status)


def _stay(terminal: Terminal, attachment: Attachment, keys: list[Key], context: Context) -> Left:
    from overmind_core.cli.attach.arrival import Arrival
    from overmind_core.cli.attach.leaving import Left
    from overmind_core.cli.attach.session import Session
    from overmind_core.cli.attach.signals import Signals
    from overmind_core.cli.attach.typing import Typing

    ready = Arrival(attachment, context).ready()
    if isinstance(ready, Left):
        return ready
    if not ready["write"]:
        context.note(f"[watching only; {' or '.join(key.name for key in keys)} or ctrl-c leaves]")
    with Signals() as signals, terminal:
        return Session(terminal, attachment, Typing(keys), signals).stay(ready)


COMMAND = Command(
    name="attach",
    summary="join a mission's terminal: what it shows comes here, what you type goes there",
    arguments=[one_id()],
    options=[
        flag("--read-only", "watch; nothing that you type arrives"),
        flag("--keep", "leave an agent that got its terminal for this in it afterwards"),
        option("--detach-key", "KEY", "leave by this key too, such as ctrl-] (repeatable)", parse=parse, repeat=True),
    ],
    examples=["overmind attach shell", "overmind attach build --read-only", "overmind attach repl --detach-key ctrl-]"],
    notes=(
        "ctrl-\\ leaves; the mission goes on. [attach] detach_keys in config.toml names more keys.\n"
        "When the mission ends meanwhile, attach exits with its code."
    ),
    run=attach,
)
