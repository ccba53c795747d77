"""`overmind output`: what an agent of a blueprint hands on to those that come after it. It needs no daemon."""

from __future__ import annotations

import os

from overmind_core.cli.command import JSON, Command, argument
from overmind_core.cli.context import STDIN, Context, text_of
from overmind_core.cli.output import dumps, size, table, text_cell
from overmind_core.domain.plans.blueprint import FOLDER, LARGEST, name_problem
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence


def output(args: Namespace, context: Context) -> int:
    """Hand values on, or list what has been."""
    folder = _folder(context.environ)
    if args.values:
        _hand_on(folder, _values(args.values), args, context)
    else:
        _list(_handed_on(folder), args, context)
    return 0


def _folder(environ: Mapping[str, str]) -> str:
    folder = environ.get(FOLDER)
    if not folder:
        raise OvermindError(
            "invalid",
            (
                "No outputs can be set here: overmind output works inside an agent of a blueprint that declares "
                f"outputs, where ${FOLDER} is set."
            ),
        )
    if not os.path.isdir(folder):
        raise OvermindError("gone", f"The folder {to_wire(folder)} for this agent's outputs no longer exists.")
    return folder


def _values(pairs: Sequence[str]) -> dict[str, bytes]:
    """What to write under which name; nothing is written when one of them makes no sense."""
    values: dict[str, bytes] = {}
    if sum(pair.partition("=")[2] == STDIN for pair in pairs) > 1:
        raise UsageError("Only one value can be read from standard input.")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"{pair!r} has no value: write KEY=VALUE, or KEY=- to read it from standard input.")
        if (problem := name_problem(name)) is not None:
            raise UsageError(f"{problem}.")
        if name in values:
            raise UsageError(f"{name!r} is given twice.")
        values[name] = _bytes(name, text_of([value]))
    return values


def _bytes(name: str, value: str) -> bytes:
    data = os.fsencode(from_wire(value))
    if len(data) > LARGEST:
        raise OvermindError(
            "too_large",
            f"The value of {name!r} has {len(data)} bytes; the limit is {LARGEST}. Set the path of a file instead.",
        )
    return data


def _hand_on(folder: str, values: Mapping[str, bytes], args: Namespace, context: Context) -> None:
    for name, data in values.items():
        _write(folder, name, data)
    if args.json:
        context.print(dumps({"handed_on": list(values)}))
    else:
        context.print(f"Set: {', '.join((f'{name} ({size(len(data))})' for name, data in values.items()))}")


def _write(folder: str, name: str, data: bytes) -> None:
    """Put the value there whole, in place of an earlier one; whoever reads it drops the newline."""
    path = os.path.join(folder, name)
    draft = os.path.join(folder, f".{name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(file, "wb") as stream:
            stream.write(data + b"\n")
        os.replace(draft, path)
    except OSError:
        os.unlink(draft)
        raise


def _handed_on(folder: str) -> dict[str, str]:
    """Every value by its name, in wire form. Links are none: nobody follows them."""
    names = sorted(name for name in os.listdir(folder) if name_problem(name) is None)
    paths = {name: os.path.join(folder, name) for name in names}
    return {name: _read(path) for name, path in paths.items() if os.path.isfile(path) and not os.path.islink(path)}


def _read(path: str) -> str:
    with open(path, "rb") as file:
        return to_wire(os.fsdecode(file.read(LARGEST + 1).removesuffix(b"\n")))


def _list(values: Mapping[str, str], args: Namespace, context: Context) -> None:
    if args.json:
        context.print(dumps(values))
        return
    rows = [[name, size(len(os.fsencode(from_wire(value)))), text_cell(value)] for name, value in values.items()]
    context.print(table(["KEY", "SIZE", "VALUE"], rows))
    if not rows:
        context.hint("No outputs yet. Set one with: overmind output KEY=VALUE")


OUTPUT = Command(
    name="output",
    arguments=[argument("values", "output to set; KEY=- reads it from standard input", nargs="*", metavar="KEY=VALUE")],
    options=[JSON],
    examples=[
        "overmind output version=1.4.2",
        "git rev-parse HEAD | overmind output commit=- branch=main",
        "overmind output",
    ],
    notes=(
        f"For programs that a blueprint started. Each value becomes a file in ${FOLDER}, and programs can write "
        "these files too. Later agents read a value as ${agents.NAME.KEY} if this agent declares KEY as an output. "
        "A new value replaces an earlier one. Without values, output lists the values set."
    ),
    run=output,
)

COMMANDS = (OUTPUT,)
