"""Commands about the connection with a Cortex: memory connect, disconnect, share, unshare, sync."""

from __future__ import annotations

import os
import sys

from overmind_core.cli import caller_environment
from overmind_core.cli.command import JSON, Command, argument, option
from overmind_core.cli.context import STDIN, Context
from overmind_core.cli.memory import lines
from overmind_core.cli.output import dumps
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace

LONGEST_TOKEN = 4096
"""Bytes of a file that holds a token."""
LONGEST_CERTIFICATES = 1 << 20
"""Bytes of a file that holds certificates."""


def connect(args: Namespace, context: Context) -> int:
    """Connect with a Cortex."""
    if args.token_file is None:
        raise UsageError("Missing --token-file. A token is read from a file, or with - from standard input.")
    token = _read(args.token_file, LONGEST_TOKEN).strip()
    ca = None if args.ca is None else _read(args.ca, LONGEST_CERTIFICATES)
    cortex = context.client().call("memory_connect", {"url": args.url, "token": token, "ca": ca})["cortex"]
    if args.json:
        context.print(dumps(cortex))
        return 0
    where = f"{lines.host_of(cortex['url'])} (colony {cortex['colony']}, {cortex['role']})"
    context.print(display_safe(f"Connected to {where}. Shares: {', '.join(['colony', *cortex['shares']])}"))
    return 0


def _read(path: str, longest: int) -> str:
    """Return the text of a file or of standard input.

    Raises:
        OvermindError: `invalid` or `too_large`.
    """
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(longest + 1)
        else:
            with open(from_wire(path), "rb") as file:
                data = file.read(longest + 1)
        if len(data) > longest:
            raise OvermindError("too_large", f"{path} is larger than {longest} bytes.")
        return data.decode()
    except OSError as error:
        raise OvermindError("invalid", f"{path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise OvermindError("invalid", f"{path} is not a text in UTF-8.") from None


def disconnect(args: Namespace, context: Context) -> int:
    """Disconnect from the Cortex; the notes stay."""
    client = context.client()
    answer = client.call("memory_connect", {})
    if args.json:
        context.print(dumps(answer))
        return 0
    state = client.call("memory", {"cwd": None})
    context.print(f"Disconnected; {lines.plural(state['live'], 'note')} {'stays' if state['live'] == 1 else 'stay'}")
    return 0


def share(args: Namespace, context: Context) -> int:
    """Share the notes of a repository."""
    return _share(args, context, on=True)


def unshare(args: Namespace, context: Context) -> int:
    """Share them no longer."""
    return _share(args, context, on=False)


def _share(args: Namespace, context: Context, *, on: bool) -> int:
    place = os.path.normpath(caller_environment.working_directory(args.folder))
    answer = context.client().call("memory_share", {"cwd": place, "on": on})
    verb = "Shares" if answer["on"] else "No longer shares"
    line = f"{verb} {answer['repository']}: {lines.plural(answer['notes'], 'note')}"
    context.print(dumps(answer) if args.json else display_safe(line))
    return 0


def sync(args: Namespace, context: Context) -> int:
    """Send and receive now."""
    answer = context.client().call("memory_sync")
    counts = f"{answer['sent']} sent, {answer['received']} received, {lines.plural(answer['conflicts'], 'conflict')}"
    context.print(dumps(answer) if args.json else f"Synced: {counts}")
    return 0


_FOLDER = argument("folder", "a folder of the repository (default: this one)", nargs="?", metavar="FOLDER")

CONNECT = Command(
    name="memory connect",
    arguments=[argument("url", "where the Cortex listens, such as https://cortex.example.org")],
    options=[
        option("--token-file", "FILE", "a file that holds the token; - reads standard input (needed)"),
        option("--ca", "FILE", "certificates to trust, as PEM, in place of the system's"),
        JSON,
    ],
    examples=["overmind memory connect https://cortex.example.org --token-file token"],
    notes="Connecting shares notes of scope colony. Those of a repository are shared by overmind memory share.",
    run=connect,
)
DISCONNECT = Command(
    name="memory disconnect", options=[JSON], examples=["overmind memory disconnect"], run=disconnect
)  # fmt: skip
SHARE = Command(name="memory share", arguments=[_FOLDER], options=[JSON], examples=["overmind memory share"], run=share)
UNSHARE = Command(
    name="memory unshare", arguments=[_FOLDER], options=[JSON], examples=["overmind memory unshare"], run=unshare
)
SYNC = Command(name="memory sync", options=[JSON], examples=["overmind memory sync"], run=sync)


COMMANDS = (CONNECT, DISCONNECT, SHARE, UNSHARE, SYNC)
