"""`overmind init`: write a blueprint to begin with, or a file about the isolation of missions."""

from __future__ import annotations

import os
import shlex

from overmind_core.cli.command import JSON, Command, argument, flag
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.plans.blueprint import DEFAULT
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

_EXAMPLE = "example.toml"
"""Beside the code that reads blueprints."""


def init(args: Namespace, context: Context) -> int:
    """Write the commented example, or the project's file."""
    if args.isolation:
        return _init_isolation(args, context)
    path = args.file or DEFAULT
    _write(path, example(), force=args.force)
    if args.json:
        context.print(dumps({"path": path}))
    else:
        context.print(f"Wrote {path}")
        word = shlex.quote(path)
        context.hint(f"Check it: overmind agents --graph {word}   Run it: overmind apply {word}")
    return 0


def _init_isolation(args: Namespace, context: Context) -> int:
    """Look at the project, and write its file at the top."""
    from overmind_core.domain.isolation.project import FILE
    from overmind_core.domain.text.cells import display_safe
    from overmind_core.git.ignored import ignored
    from overmind_core.git.run import Git, GitFailed, GitMissing
    from overmind_core.git.worktree_gaps import untracked_hooks
    from overmind_core.project_file.detect import detect
    from overmind_core.project_file.template import first

    if args.file:
        raise OvermindError("invalid", f"init --isolation takes no file: it writes {FILE} at the top of the project.")
    top = _top(os.getcwd())
    path = to_wire(os.path.join(top, FILE))
    git = Git(os.environ)
    try:
        hooks = untracked_hooks(git, top)
    except (GitFailed, GitMissing):  # no repository
        hooks = None
    detected = detect(top, lambda names: ignored(git, top, names), hooks)
    _write(path, first(detected).encode(), force=args.force, other=False)
    services = [one.service.name for one in detected.proposals]
    if args.json:
        found = {"path": path, "found": [*detected.found], "services": services, "problems": [*detected.problems]}
        context.print(dumps(found))
        return 0
    context.print(display_safe(f"Wrote {path}"))
    for one in detected.found:
        context.print(display_safe(f"  found {one}"))
    for one in detected.problems:
        context.note(display_safe(f"  {one}"))
    context.print(f"Services: {', '.join(services) or 'none; see the example in the file'}")
    context.print("Review it, then: overmind isolate --check, overmind trust, and overmind run")
    return 0


def _top(folder: str) -> str:
    """The top of the checkout that a folder is in; the folder itself where there is none."""
    above = folder
    while not os.path.lexists(os.path.join(above, ".git")):
        above, below = os.path.dirname(above), above
        if above == below:
            return folder
    return above


def example() -> bytes:
    """Return a blueprint that runs anywhere, with a comment on everything."""
    from overmind_core import blueprint_file  # start-up: --help needs none

    path = os.path.join(os.path.dirname(os.path.abspath(blueprint_file.__file__)), _EXAMPLE)
    with open(path, "rb") as file:
        return file.read()


def _write(path: str, data: bytes, *, force: bool, other: bool = True) -> None:
    try:
        with open(from_wire(path), "wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError:
        how = "Name another file, or overwrite it: --force" if other else "Overwrite it: --force"
        raise OvermindError("invalid", f"{path} already exists. {how}") from None
    except OSError as error:
        raise OvermindError("invalid", f"{path}: {error.strerror}.") from None


INIT = Command(
    name="init",
    arguments=[argument("file", f"file to write (default {DEFAULT})", nargs="?", metavar="file")],
    options=[
        flag("--isolation", "write .overmind.yml: the isolation that each mission in the project gets, as detected"),
        flag("--force", "overwrite an existing file"),
        JSON,
    ],
    examples=["overmind init", "overmind init release.toml", "overmind init --isolation"],
    run=init,
)

COMMANDS = (INIT,)
