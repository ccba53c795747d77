"""Commands about terminals: attach, detach, and a shell or a command in a mission's folder and environment."""

from __future__ import annotations

import contextlib
import os
import sys

from overmind_core.cli import caller_environment
from overmind_core.cli.command import JSON, Command, flag, one_id, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.values import variable_pair
from overmind_core.client.detach_keys import DEFAULT_KEY, DetachKey, detach_keys, parse_key
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

    from overmind_core.cli.attach.local_terminal import Terminal
    from overmind_core.cli.attach.session import SessionEnd
    from overmind_core.client.attach import MissionAttachment


def attach(args: Namespace, context: Context) -> int:
    """Stay until the person leaves or the mission ends; then exit as it did."""
    mission = chosen(args, "attach")
    return join(context, mission, keys=args.detach_key, read_only=args.read_only, keep=args.keep)


def chosen(args: Namespace, command: str) -> str:
    """Return the mission that the word, or -t, names.

    Raises:
        UsageError: neither does, or both do.
    """
    if (args.id is None) == (args.target is None):
        wrong = "Missing id." if args.id is None else "Give the id once, as a word or with -t."
        raise UsageError(f"{wrong} See: overmind {command} --help")
    return str(args.id or args.target)


TARGET = option("--target", "ID", "same as ID, as in tmux", short="-t")


def check_terminal(instead: str) -> None:
    """Refuse to join a terminal from where there is none; `instead` is what to type there.

    Raises:
        OvermindError: `invalid`.
    """
    from overmind_core.cli.attach.local_terminal import Terminal

    if not Terminal.is_available():
        raise OvermindError("invalid", f"attach needs a terminal for input and output. Without one: {instead}")


def join(
    context: Context,
    mission: str,
    *,
    keys: Sequence[DetachKey] = (),
    read_only: bool = False,
    keep: bool = False,
    missed: Callable[[], int] | None = None,
) -> int:
    """Join a mission's terminal until the person leaves or the mission ends; return the exit status.

    Args:
        context: Where to print.
        mission: Its id or name.
        keys: More keys that leave.
        read_only: Watch only.
        keep: Leave an agent that got its terminal for this in it afterwards.
        missed: Shows what a mission has written that ended before its terminal was here; returns the exit status.
    """
    from overmind_core.cli.attach.local_terminal import Terminal
    from overmind_core.client.attach import MissionAttachment

    there = "" if context.hive is None else f"{context.hive.name}/"
    check_terminal(f"overmind logs -f {there}{mission}")
    keys = [DEFAULT_KEY, *detach_keys(context.home.config), *keys]
    terminal = Terminal()
    columns, rows = terminal.size()
    context.client().connect()  # it also says when the daemon is older than this program
    wish = {"id": mission, "read_only": read_only, "keep": keep, "columns": columns, "rows": rows}
    try:
        attachment = MissionAttachment(context.place, wish)
    except OvermindError as error:
        if missed is None or error.code != "not_running":
            raise
        return missed()
    try:
        left, has_shown = _attach(terminal, attachment, keys, context, read_only=read_only)
    finally:
        attachment.close()
    if missed is not None and left.is_over and not has_shown:
        return missed()
    with contextlib.suppress(OSError):  # the terminal is gone, and with it whoever would read this
        context.note(f"[{left.sentence}]")
    return int(left.status)


def _attach(
    terminal: Terminal, attachment: MissionAttachment, keys: Sequence[DetachKey], context: Context, *, read_only: bool
) -> tuple[SessionEnd, bool]:
    """Stay until it is over; return how it ended, and whether there was anything to be seen."""
    from overmind_core.cli.attach.keys import KeyFilter
    from overmind_core.cli.attach.local_terminal import Signals
    from overmind_core.cli.attach.session import AttachSession, SessionEnd, TerminalWait

    ready = TerminalWait(attachment, context).ready()
    if isinstance(ready, SessionEnd):
        return ready, False
    leave = f"watching only; {' or '.join(key.name for key in keys)} or ctrl-c leaves"
    notice = ""
    if read_only:
        context.note(f"[{leave}]")
    elif not ready["write"]:
        notice = f"[{leave}: {attachment.name} has no input (--type session gives it one)]"
    with Signals() as signals, terminal:
        session = AttachSession(terminal, attachment, KeyFilter(keys), signals, notice=notice)
        return session.run(ready), session.has_shown


ATTACH = Command(
    name="attach",
    arguments=[one_id("?")],
    options=[
        TARGET,
        flag("--read-only", "watch only; ignore your input"),
        flag("--keep", "leave the agent in a terminal afterwards, if attach moved it there"),
        option(
            "--detach-key",
            "KEY",
            "another key that detaches, such as ctrl-] (repeatable)",
            parse=parse_key,
            repeat=True,
        ),
    ],
    examples=["overmind attach shell", "overmind attach build --read-only", "overmind attach repl --detach-key ctrl-]"],
    notes=(
        "ctrl-\\ detaches; the mission keeps running. [attach] detach_keys in config.toml adds keys.\n"
        "When the mission ends, attach exits with the mission's exit code."
    ),
    run=attach,
)


def detach(args: Namespace, context: Context) -> int:
    """Detach everybody; the mission goes on."""
    answer = context.client().call("detach", {"id": args.id})
    sentence = f"Detached {answer['detached']} from mission {answer['id']} ({answer['name']})"
    context.print(dumps(answer) if args.json else sentence)
    return 0


DETACH = Command(
    name="detach",
    arguments=[one_id()],
    options=[JSON],
    examples=["overmind detach shell"],
    run=detach,
)


SHELL = "/bin/sh"
TERMINAL = frozenset({"COLORTERM", "COLUMNS", "INVOCATION_ID", "LINES", "STY", "TERM", "VTE_VERSION", "WINDOWID"})
FAMILIES = ("TMUX", "TERM_PROGRAM", "KITTY_", "WEZTERM_", "ITERM_", "SSH_")
"""Variables that tell about the terminal in front of the person, not about that of whoever started the mission."""


def shell(args: Namespace, context: Context) -> int:
    """Become the shell."""
    answer = context.client().call("environment", {"id": args.id})
    variables = _enter(answer, context)
    program = context.environ.get("SHELL") or variables.get("SHELL") or SHELL
    speaks = " · overmind runs as the mission" if answer.get("inside") else ""
    if not args.quiet:
        context.hint(f"[{display_safe(answer['name'])}: {display_safe(os.getcwd())}{speaks} · exit returns]")
    context.close()
    _become([program], variables, f"The shell {program} can't be started: {{}}. Set SHELL.")


def _enter(answer: Mapping[str, Any], context: Context, folder: str | None = None) -> dict[str, str]:
    """Go to the mission's folder, or to one below it; return its variables with those of the caller's terminal.

    Raises:
        OvermindError: `cwd_not_found`.
    """
    cwd, name = os.path.join(from_wire(answer["cwd"]), from_wire(folder or "")), answer["name"]
    try:
        os.chdir(cwd)
    except OSError as error:
        raise OvermindError(
            "cwd_not_found", f"The folder {cwd} of mission {answer['id']} ({name}) can't be entered: {error.strerror}."
        ) from None
    os.umask(answer["umask"])
    variables = {from_wire(key): from_wire(value) for key, value in answer["env"].items()}
    environment = shell_environment(variables, context.environ)
    if inside := answer.get("inside"):  # a daemon of an earlier version does not say
        _speak_as(inside, environment)
    return environment


def _speak_as(mission: str, environment: dict[str, str]) -> None:
    """Have whatever this process becomes be known as inside of a mission that chose its environment."""
    from overmind_core.system.run_mark import OWN_VARIABLE, wear_own_mark

    environment[OWN_VARIABLE] = f"shell-{mission}"
    wear_own_mark(for_good=True)


def shell_environment(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the mission's variables with those of the terminal that the caller sits at."""
    kept = {name: value for name, value in variables.items() if not _of_terminal(name)}
    return kept | {name: value for name, value in environ.items() if _of_terminal(name)}


def _of_terminal(name: str) -> bool:
    return name in TERMINAL or name.startswith(FAMILIES)


def _become(argv: list[str], environment: Mapping[str, str], failure: str) -> NoReturn:
    """Become a program of the person's choice; `failure` has a place for the reason why that can't be."""
    sys.stdout.flush()
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - what the person typed, or their own shell
    except OSError as error:
        raise OvermindError("invalid", failure.format(error.strerror)) from None


SHELL_COMMAND = Command(
    name="shell",
    arguments=[one_id()],
    options=[flag("--quiet", "start without printing the mission and its folder")],
    examples=["overmind shell api", "echo 'git status' | overmind shell api"],
    notes=(
        "The shell runs beside the mission: each can end without the other.\n"
        "It has the variables of the mission's programs, except those that mark a process as part of the mission.\n"
        "A mission that another mission started got these variables from it, and some of them run programs: "
        "overmind commands in such a shell have only the mission's own rights.\n"
        "To type into the mission itself: overmind attach"
    ),
    run=shell,
)


def execute(args: Namespace, context: Context) -> int:
    """Become the command; one word is a shell string, several are run as they are."""
    if not args.rest or not args.rest[0].strip():
        raise OvermindError("empty_command", f"Missing command. For example: overmind exec {args.id} make test")
    given = caller_environment.given_variables([], args.env, context.environ)
    answer = context.client().call("environment", {"id": args.id})
    words = [from_wire(word) for word in args.rest]
    argv = words if len(words) > 1 else [SHELL, "-c", *words]
    variables = _enter(answer, context, args.cwd) | {from_wire(name): from_wire(one) for name, one in given.items()}
    context.close()
    _become(
        argv, variables, f"{display_safe(argv[0])} can't be started: {{}}. Check that it is installed and on the PATH."
    )


EXEC = Command(
    name="exec",
    arguments=[one_id()],
    rest="CMD...",
    options=[
        option("--env", "NAME=VALUE", "set a variable (repeatable)", short="-e", parse=variable_pair, repeat=True),
        option("--cwd", "FOLDER", "run it in this folder, relative to the mission's", short="-w", also=["--workdir"]),
        flag("--interactive", "no effect: the command has your terminal", short="-i"),
        flag("--tty", "no effect, like -i", short="-t"),
    ],
    examples=["overmind exec api git status", "overmind exec api 'ls | wc -l'", "overmind exec -it api bash"],
    notes=(
        "The command runs beside the mission, as in overmind shell, and exec exits with its exit code. One word is "
        "a shell string; several words run without a shell."
    ),
    run=execute,
)

COMMANDS = (ATTACH, DETACH, SHELL_COMMAND, EXEC)
