"""Commands about terminals: attach, detach, and a shell in a mission's folder and environment."""

from __future__ import annotations

import contextlib
import os
import sys

from overmind_core.cli.command import JSON, Command, flag, one_id, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.client.detach_keys import DEFAULT_KEY, DetachKey, detach_keys, parse_key
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from overmind_core.cli.attach.local_terminal import Terminal
    from overmind_core.cli.attach.session import SessionEnd
    from overmind_core.client.attach import MissionAttachment


def attach(args: Namespace, context: Context) -> int:
    """Stay until the person leaves or the mission ends; then exit as it did."""
    from overmind_core.cli.attach.local_terminal import Terminal
    from overmind_core.client.attach import MissionAttachment

    if not Terminal.is_available():
        raise OvermindError(
            "invalid", f"attach needs a terminal for input and output. Elsewhere: overmind logs -f {args.id}"
        )
    keys = [DEFAULT_KEY, *detach_keys(context.home.config), *args.detach_key]
    terminal = Terminal()
    columns, rows = terminal.size()
    context.client().connect()  # it also says when the daemon is older than this program
    wish = {"id": args.id, "read_only": args.read_only, "keep": args.keep, "columns": columns, "rows": rows}
    attachment = MissionAttachment(context.home, wish)
    try:
        left = _attach(terminal, attachment, keys, context)
    finally:
        attachment.close()
    with contextlib.suppress(OSError):  # the terminal is gone, and with it whoever would read this
        context.note(f"[{left.sentence}]")
    return int(left.status)


def _attach(terminal: Terminal, attachment: MissionAttachment, keys: list[DetachKey], context: Context) -> SessionEnd:
    from overmind_core.cli.attach.keys import KeyFilter
    from overmind_core.cli.attach.local_terminal import Signals
    from overmind_core.cli.attach.session import AttachSession, SessionEnd, TerminalWait

    ready = TerminalWait(attachment, context).ready()
    if isinstance(ready, SessionEnd):
        return ready
    if not ready["write"]:
        context.note(f"[watching only; {' or '.join(key.name for key in keys)} or ctrl-c leaves]")
    with Signals() as signals, terminal:
        return AttachSession(terminal, attachment, KeyFilter(keys), signals).run(ready)


ATTACH = Command(
    name="attach",
    arguments=[one_id()],
    options=[
        flag("--read-only", "watch; nothing that you type arrives"),
        flag("--keep", "leave an agent that got its terminal for this in it afterwards"),
        option(
            "--detach-key", "KEY", "leave by this key too, such as ctrl-] (repeatable)", parse=parse_key, repeat=True
        ),
    ],
    examples=["overmind attach shell", "overmind attach build --read-only", "overmind attach repl --detach-key ctrl-]"],
    notes=(
        "ctrl-\\ leaves; the mission goes on. [attach] detach_keys in config.toml names more keys.\n"
        "When the mission ends meanwhile, attach exits with its code."
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
    cwd, name = from_wire(answer["cwd"]), answer["name"]
    try:
        os.chdir(cwd)
    except OSError as error:
        raise OvermindError(
            "cwd_not_found", f"The folder {cwd} of mission {answer['id']} ({name}) can't be entered: {error.strerror}."
        ) from None
    variables = {from_wire(key): from_wire(value) for key, value in answer["env"].items()}
    program = context.environ.get("SHELL") or variables.get("SHELL") or SHELL
    environment = shell_environment(variables, context.environ)
    inside = answer.get("inside")  # a daemon of an earlier version does not say
    speaks = " · overmind answers it as the mission" if inside else ""
    context.hint(f"[{display_safe(name)}: {display_safe(cwd)}{speaks} · exit comes back]")
    context.close()
    os.umask(answer["umask"])
    if inside:
        _speak_as(inside, environment)
    return _exec_shell(program, environment)


def _speak_as(mission: str, environment: dict[str, str]) -> None:
    """Have whatever this process becomes be known as inside of a mission that chose its environment."""
    from overmind_core.system.run_mark import OWN_VARIABLE, wear_own_mark

    environment[OWN_VARIABLE] = f"shell-{mission}"
    wear_own_mark()


def shell_environment(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the mission's variables with those of the terminal that the caller sits at."""
    kept = {name: value for name, value in variables.items() if not _of_terminal(name)}
    return kept | {name: value for name, value in environ.items() if _of_terminal(name)}


def _of_terminal(name: str) -> bool:
    return name in TERMINAL or name.startswith(FAMILIES)


def _exec_shell(program: str, environment: Mapping[str, str]) -> int:
    sys.stdout.flush()
    try:
        os.execvpe(program, [program], environment)  # noqa: S606 - the person's own shell
    except OSError as error:
        raise OvermindError("invalid", f"The shell {program} can't be started: {error.strerror}. Set SHELL.") from None


SHELL_COMMAND = Command(
    name="shell",
    arguments=[one_id()],
    examples=["overmind shell api", "echo 'git status' | overmind shell api"],
    notes=(
        "The shell stands beside the mission: it goes on when the mission ends, and ends nothing when it does. It has\n"
        "the variables that the mission's programs have, but for those by which a process is known to belong to it.\n"
        "A mission that another mission has started chose those variables together with it, and some of them run\n"
        "programs: such a shell may do with overmind what the mission itself may.\n"
        "To type into the mission itself: overmind attach"
    ),
    run=shell,
)

COMMANDS = (ATTACH, DETACH, SHELL_COMMAND)
