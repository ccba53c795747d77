"""A blueprint's file: read with every mistake reported, a line each (`file:line:column: message`); and its requests.

Also the words and options of every command about such a file, and the name of the plan in one that could not be applied
any more: to end it needs no more.
"""

from __future__ import annotations

import os
import re
import shlex

from overmind_core import plan_file
from overmind_core.cli import caller_environment
from overmind_core.cli.command import argument, option
from overmind_core.domain.missions.names import LONGEST_NAME, name_problem
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.problems import Problems
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from overmind_core.blueprint_file.read import ReadBlueprint
    from overmind_core.cli.context import Context
    from overmind_core.domain.plans.blueprint import Blueprint
    from overmind_core.domain.text.problems import Problem


STDIN = "-"
UNNAMED = "plan"
"""What a plan of standard input is called in a folder whose name no mission may have."""


NOT_STARTED = "Nothing was started."
"""How a file is refused by a command that would start its plan."""


def load(
    path: str,
    variables: Sequence[tuple[str, str]],
    context: Context,
    called: str | None = None,
    *,
    refused: str = NOT_STARTED,
) -> Blueprint:
    """Read the plan in a blueprint's file, which has no fleets, and report everything that is wrong with it.

    Args and errors as of `load_all`; `invalid`, too, where it has fleets: they are applied by `apply` alone.
    """
    found = load_all(path, variables, context, called, refused=refused)
    if found.fleets:
        raise OvermindError(
            "invalid", f"{path} has fleets, which only apply can post: overmind apply {shlex.quote(path)}"
        )
    return found.blueprint


def load_all(
    path: str,
    variables: Sequence[tuple[str, str]],
    context: Context,
    called: str | None = None,
    *,
    refused: str | None = None,
) -> ReadBlueprint:
    """Read a blueprint's file and report everything that is wrong with it.

    Args:
        path: As the person wrote it, in wire form.
        variables: What `--var` gave, in order.
        context: Where warnings and problems are printed, and whose environment the file may refer to.
        called: What `--name` gave.
        refused: The sentence that says what is not done for want of it; none for a command that only reads.

    Raises:
        OvermindError: `invalid`, or `cycle` where that is all, the file can't be used; each problem has been printed.
    """
    try:
        found = _read(path, dict(variables), context, called)
    except Problems as wrong:
        _print_problems(path, wrong.problems, context)
        count = len(wrong.problems)
        said = f"{path} has {'a mistake' if count == 1 else f'{count} mistakes'}."
        raise OvermindError(wrong.code, said if refused is None else f"{said} {refused}") from None
    _print_problems(path, found.warnings, context, kind="Warning: ")
    return found


def _read(path: str, variables: dict[str, str], context: Context, called: str | None) -> ReadBlueprint:
    found = plan_file.read_plan(
        content(path),
        path,
        name=stem(path),
        variables=variables,
        environ={to_wire(name): to_wire(value) for name, value in context.environ.items()},
        disk=plan_file.RealDisk(),
        called=called,
    )
    from overmind_core.domain.replacing import replace  # start-up: reading has loaded it

    return found._replace(blueprint=replace(found.blueprint, given=tuple(variables)))


def stem(path: str) -> str:
    """What the blueprint in a file is called when it doesn't say so itself; on standard input, as its folder is."""
    if path == STDIN:
        letters = re.sub("[^A-Za-z0-9_-]+", "-", os.path.basename(os.getcwd())).strip("-_")[:LONGEST_NAME]
        return letters if name_problem(letters) is None else UNNAMED
    return plan_file.stem(path)


def real_path(path: str) -> str:
    """The file by which the daemon tells a plan from others; standard input stays what it is."""
    return path if path == STDIN else plan_file.real_path(path)


def content(path: str) -> bytes:
    """What a file holds; `-` is standard input, which can be read once.

    Raises:
        OvermindError: it can't be read, or is too large to be a blueprint.
    """
    try:
        with open(0 if path == STDIN else from_wire(path), "rb", closefd=path != STDIN) as file:
            data = file.read(plan_file.MOST_BYTES + 1)
    except IsADirectoryError as error:
        raise OvermindError("invalid", f"{path}: {error.strerror}. Name a file in it, such as {DEFAULT}") from None
    except OSError as error:
        raise OvermindError("invalid", f"{path}: {error.strerror}. Write one with: overmind init") from None
    if len(data) > plan_file.MOST_BYTES:
        raise OvermindError("too_large", f"{path} has more than {plan_file.MOST_BYTES} bytes: it is not a blueprint.")
    return data


def _print_problems(path: str, problems: Iterable[Problem], context: Context, *, kind: str = "") -> None:
    lines = [f"{path}:{line}:{column}: {kind}{message}" for line, column, message in problems]
    if lines:
        context.note("\n".join(map(display_safe, lines)))


def chosen_file(word: str | None, filename: str | None, command: str) -> str:
    """Return the file that the word, or -f, names.

    Raises:
        UsageError: neither does, or both do.
    """
    if word is not None and filename is not None:
        raise UsageError(f"Give the file once, as a word or with -f. See: overmind {command} --help")
    found = word if filename is None else filename
    if found is None:
        raise UsageError(f"Missing file. See: overmind {command} --help")
    return found


def blueprint_name(path: str, variables: Sequence[tuple[str, str]], context: Context) -> str:
    """Return the name of the plan in a file.

    Args:
        path: As the person wrote it, in wire form.
        variables: What `--var` gave; a name may refer to it.
        context: Where problems are printed.

    Raises:
        OvermindError: the file can't be read, or the name can only be known of a file without mistakes.
    """
    name = None if path == STDIN else _name_in_file(path)
    return load_all(path, variables, context).blueprint.name if name is None else name


def _name_in_file(path: str) -> str | None:
    """The name as it stands there, or else the file's; None where it takes more to know it."""
    import tomllib  # start-up, as above

    try:
        head = tomllib.loads(content(path).decode()).get("blueprint", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    name = head.get("name", stem(path)) if isinstance(head, dict) else None
    return name if isinstance(name, str) and "${" not in name else None


DEFAULT = "blueprint.toml"


def plan_name(word: str) -> str:
    """Return the name for a plan."""
    if (problem := name_problem(word)) is not None:
        raise ValueError(f"{problem}: {word!r}")
    return word


def variable(word: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`."""
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise ValueError(f"{word!r} is not a variable: write NAME=VALUE")
    return name, value


FILE = argument("file", "blueprint file; - reads standard input", metavar="file", nargs="?")
FILENAME = option("--filename", "FILE", "same as FILE, as in kubectl", short="-f", also=["--file"])
VAR = option("--var", "NAME=VALUE", "set ${vars.NAME}; wins over the file (repeatable)", parse=variable, repeat=True)


NAME = option("--name", "NAME", "name of the plan; wins over the file", parse=plan_name)


WHOLE = "[blueprint]"
"""How the limits of the whole are called in a list of changes."""
_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def apply_request(
    blueprint: Blueprint, path: str, environ: Mapping[str, str], *, dry_run: bool = False, rerun: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the arguments of the request `apply`.

    Args:
        blueprint: What to apply.
        path: Its file, as the person wrote it.
        environ: The caller's, of the plan and of all its agents.
        dry_run: Only ask what would be done.
        rerun: `failed`, `changed`, or names: of an ended plan, these agents alone run again.

    Raises:
        OvermindError: something that no program can be given.
    """
    from dataclasses import asdict  # start-up, as above

    return {
        "blueprint": asdict(blueprint),
        "cwd": caller_environment.working_directory(None),
        "file": real_path(path),
        "env": caller_environment.inherited_variables(environ, clean=False),
        "umask": caller_environment.current_umask(),
        "dry_run": dry_run,
        "rerun": list(rerun) or None,
        "request": os.urandom(_REQUEST_KEY).hex(),
    }


def change_lines(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return each change as a person reads it: `~ build (command, env)`."""
    return [display_safe(_line(change)) for change in changes]


def _line(change: Mapping[str, Any]) -> str:
    why = f" ({', '.join(change['why'])})" if change["why"] else ""
    return f"{change['sign']} {change['agent'] or WHOLE}{why}"
