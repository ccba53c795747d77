"""Commands about the daemon and this program: start, shutdown, version, tui, completion."""

from __future__ import annotations

import os
import sys
import time

from overmind_core.cli.command import JSON, YES_TO_ALL, Command, argument, flag, option
from overmind_core.cli.context import Context, confirmed, is_interactive, print_notes
from overmind_core.cli.ends import SILENT_SECONDS, EndTeller
from overmind_core.cli.output import dumps
from overmind_core.client.client import Client
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, OvermindError, UsageError
from overmind_core.system.lock import holder_pid
from overmind_core.version import VERSION

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

    from overmind_core.client.daemon import LaunchedDaemon
    from overmind_core.client.hives.hive import Hive
    from overmind_core.system.paths import Home

    Part = Mapping[str, Any] | None


REPLACE_LIMIT = 30.0
"""Seconds that a new daemon waits for the old one to leave."""
_RACES = 3
"""How often one that was faster than ours is replaced, too: a client of the version before that lost its daemon, such
as a full-screen program that is open, starts the next one from its own files."""


def start(args: Namespace, context: Context) -> int:
    """Start, replace or become the daemon."""
    if args.ephemeral and not args.foreground:
        raise UsageError("--ephemeral needs --foreground: overmind start --foreground --ephemeral")
    if args.foreground:
        return _become_daemon(context, ephemeral=args.ephemeral)
    if args.replace:
        return _replace(context)
    client = Client(context.home, start=True, say_search=context.say_search)
    pid = client.connect()["pid"]
    context.print(f"Daemon started (PID {pid})" if client.started_pid else f"Daemon is already running (PID {pid})")
    if not client.started_pid and client.newer_than_daemon:
        context.note("It is an older version than this program. Upgrade it with: overmind start --replace")
    if client.started_pid:
        for problem in client.call("status").get("problems", ()):
            context.note(display_safe(str(problem)))
    return 0


def _become_daemon(context: Context, *, ephemeral: bool) -> int:
    from overmind_core.client.daemon import exec_daemon  # rarely needed

    pid = holder_pid(context.home.supervisor_lock)
    if pid is None:
        exec_daemon(context.home, ephemeral=ephemeral)
    if ephemeral:
        raise OvermindError(
            "busy", f"{context.home.root} is in use by a daemon (PID {pid}). Choose another folder with --home"
        )
    context.print(f"Daemon is already running (PID {pid})")
    return 0


def _replace(context: Context) -> int:
    """Let the running daemon hand over to a new one; the agents stay with their keeper."""
    left = holder_pid(context.home.supervisor_lock)
    service = "" if left is None else _service_of(context, left)
    launched = _launch_after(context, left)
    races = _RACES
    while not launched.ready and not launched.message and launched.may_answer() and races:
        races -= 1
        launched = _launch_after(context, holder_pid(context.home.supervisor_lock))
    if not launched.ready and (launched.message or not launched.may_answer()):
        raise launched.failure()
    pid = launched.pid if launched.ready else _client(context).connect()["pid"]  # of who was faster
    context.print(f"Daemon {'started' if left is None else 'replaced'} (PID {pid})")
    if service:
        context.note(f"It no longer runs as the service {service}. Let that take over with: overmind service install")
    return 0


def _service_of(context: Context, pid: int) -> str:
    """Return the name of the service that runs the daemon `pid`, which leaves it when it is replaced."""
    from overmind_core.cli.service_unit.command import service_of  # rarely needed

    return service_of(context, pid)


def _launch_after(context: Context, left: int | None) -> LaunchedDaemon:
    """Launch a daemon of this program in the place of the daemon `left`."""
    from overmind_core.client.daemon import launch  # rarely needed

    began, said = time.monotonic(), False

    def searching(line: str) -> None:
        nonlocal said
        said = said or context.say_search(line, began)

    if left is None:
        return launch(context.home, searching=searching)
    return launch(
        context.home,
        wait_lock=REPLACE_LIMIT,
        after=left,
        on_waiting=lambda: _shut_down_old(context, left),
        searching=lambda _: searching(f"waits for the daemon (PID {left}) to hand over to the next one"),
    )


def _client(context: Context) -> Client:
    return Client(context.home, say_search=context.say_search)


def _shut_down_old(context: Context, pid: int) -> None:
    """Ask the daemon `pid`, unless another one has taken its place."""
    client = _client(context)
    try:
        if client.connect()["pid"] == pid:
            client.call("shutdown", {"keep": True, "replace": True})
    except OvermindError as error:
        if error.code not in GONE:
            raise


START = Command(
    name="start",
    options=[
        flag("--foreground", "run the daemon in this terminal until ctrl-c"),
        flag("--ephemeral", "with --foreground: end everything here when this daemon or its parent process ends"),
        flag("--replace", "upgrade in place: a new daemon takes over, and the missions keep running"),
    ],
    examples=["overmind start", "overmind start --replace", "systemd-run --user overmind start --foreground"],
    run=start,
)


LEAVE_LIMIT = 10.0
"""Seconds for daemon and keeper to leave once all missions have ended."""
_PAUSE = 0.01
GONE = frozenset({"daemon_lost", "daemon_not_running", "outcome_unknown"})
"""It left by itself, or another shutdown was faster: that is what was asked for."""


def shutdown(args: Namespace, context: Context) -> int:
    """Stop all missions and the daemon; with --keep the daemon alone."""
    if not _is_running(context, keep=args.keep):
        return _report_nothing_there(args, context)
    client = context.client()
    try:
        live = 0 if args.keep else _live_count(client)
    except OvermindError as error:
        return end_without_state(args, context, error)
    where = context.on_hive
    if live and not args.yes and is_interactive() and (running := _running_quests(client)):
        context.note(display_safe(f"This cancels {_quests(running)}. {_keeping(context)}"))
    if live and not confirmed(f"Stop {_missions(live)} and the daemon{where}?", yes=args.yes):
        return FAILED
    answer = _shut_down(client, context, keep=args.keep)
    context.print(dumps(answer) if args.json else f"Daemon stopped{where}")
    if answer.get("kept") and not args.json:
        verb = "keeps" if answer["kept"] == 1 else "keep"
        again = "Supervise again with: overmind start"
        if context.hive is not None:
            again = f"See them with: overmind -H {context.hive.name} ps"
        context.note(f"{_missions(answer['kept'])} {verb} running{where}. {again}")
    if answer.get("cancelled") and not args.json:
        context.note(cancelled_text(answer["cancelled"], context))
    print_notes([answer], context)
    return FAILED if not args.keep and (answer.get("held") or answer.get("stopping")) else 0


def _report_nothing_there(args: Namespace, context: Context) -> int:
    answer = _with_web({"stopped": 0, "kept": 0}, context)
    context.print(dumps(answer) if args.json else _nothing_there(context))
    print_notes([answer], context)
    return 0


def _with_web(answer: dict[str, Any], context: Context) -> dict[str, Any]:
    """Note a web server that goes on in the answer that no daemon gave."""
    from overmind_core.system.web_server import goes_on  # start-up: few commands ask

    notes = [] if context.hive is not None else goes_on(context.home)
    return {**answer, "note": "\n".join(notes)} if notes else answer


def _running_quests(client: Client) -> list[str]:
    """The names of the quests that run."""
    try:
        return [one["name"] for one in client.call("quests", {"status": ["running"]})]
    except OvermindError:  # the question is about the missions
        return []


def cancelled_text(quests: Sequence[Mapping[str, Any]], context: Context) -> str:
    """Return which quests a shutdown has cancelled, and how they begin again: few that began at once, a line each."""
    line = f"Cancelled {_quests([one['name'] for one in quests])}."
    again = [one["name"] for one in quests if one["can_retry"]]
    if again:
        few = again if len(again) <= MOST_NAMED else [*again[:MOST_NAMED], "…"]
        them = "it" if len(again) == 1 else "them"
        line = f"{line} Begin {them} again with: {_command(context)} quest retry {' '.join(few)}."
    at_once = [one for one in quests if one.get("again")]  # an older daemon does not say it
    lines = [f"{line} {_keeping(context)}"]
    if len(at_once) > MOST_COMMANDS:
        lines.append(f"Begin the {len(at_once)} that began at once again with: {_command(context)} quest run")
    else:
        lines += [f"Begin {one['name']} again with: {_there(one['again'], context)}" for one in at_once]
    return "\n".join(map(display_safe, lines))


def _there(command: str, context: Context) -> str:
    return f"{_command(context)}{command.removeprefix('overmind')}"


def _quests(names: Sequence[str]) -> str:
    noun = "quest" if len(names) == 1 else f"{len(names)} quests:"
    more = len(names) - MOST_NAMED
    return f"{noun} {', '.join(names[:MOST_NAMED])}{f' and {more} more' if more > 0 else ''}"


def _command(context: Context) -> str:
    return "overmind" if context.hive is None else f"overmind -H {context.hive.name}"


def _keeping(context: Context) -> str:
    return f"To keep what runs: {_command(context)} shutdown --keep"


MOST_NAMED = 5
"""Quests that are named; then they are counted."""
MOST_COMMANDS = 3
"""Quests of which each has its own command."""
UNREADABLE = frozenset({"schema_newer", "internal"})
"""Why no daemon can start, though its missions live."""
GRACE = 10.0
"""Seconds that missions get to end where nobody can read how many each was given."""


def end_without_state(args: Namespace, context: Context, error: OvermindError) -> int:
    """End all that runs by the keeper alone: for that nobody need read the state.

    Raises:
        OvermindError: `error`, when a daemon is there, when nothing runs, or inside of a mission.
    """
    if context.hive is not None:
        raise error
    home = context.home
    alone = holder_pid(home.supervisor_lock) is None and holder_pid(home.keeper_lock) is not None
    if error.code not in UNREADABLE or not alone or context.environ.get("OVERMIND_MISSION_ID"):
        raise error
    from overmind_core.client.keeper import BareKeeper  # rarely needed

    context.note(display_safe(error.message))
    keeper = BareKeeper(home)
    live = len(keeper.live())
    if live and not confirmed(f"End {_missions(live)} without reading the state?", yes=args.yes):
        return FAILED
    with context.waiting(
        f"waits for {_missions(live)} to end, for {GRACE:.0f} s at the most; then they are killed", to_pipe=True
    ):
        keeper.end_all(GRACE)
    ended = _with_web({"stopped": live, "kept": 0}, context)
    context.print(dumps(ended) if args.json else f"Ended {_missions(live)} and the keeper; the state is unchanged")
    print_notes([ended], context)
    return 0


def _is_running(context: Context, *, keep: bool) -> bool:
    """Whether there is something to stop; to keep what a lone keeper holds nothing needs to be done."""
    if context.hive is not None:
        return context.hive.has_daemon()
    home = context.home
    return holder_pid(home.supervisor_lock) is not None or (not keep and holder_pid(home.keeper_lock) is not None)


def _nothing_there(context: Context) -> str:
    if context.hive is not None:
        return f"Daemon is not running on {context.hive.name}"
    if holder_pid(context.home.keeper_lock) is not None:
        return "Daemon is not running; its missions keep running"
    return "Daemon is not running"


def _live_count(client: Client) -> int:
    """Return how many missions live."""
    try:
        return int(client.call("status")["missions"]["running"])
    except OvermindError as error:
        if error.code not in GONE:
            raise
        return 0


def _shut_down(client: Client, context: Context, *, keep: bool) -> dict[str, Any]:
    """Ask the daemon to leave and wait for its end; when it is killed meanwhile, for its successor's, too."""
    while True:
        answer = _request_shutdown(client, context, keep=keep)
        asked = client.daemon.get("pid") if answer is None else None
        stays = keep or bool(answer and answer.get("held"))
        if _has_left(client, context.hive) if context.hive else _has_ended(context, keep=stays, asked=asked):
            return answer or _with_web({"stopped": 0, "kept": 0}, context)
        client = context.client()


def _request_shutdown(client: Client, context: Context, *, keep: bool) -> dict[str, Any] | None:
    try:
        return dict(client.call("shutdown", {"keep": keep}, meanwhile=None if keep else EndTeller(context, None)))
    except OvermindError as error:
        if error.code not in GONE:
            raise
        return None  # left before its answer did; whether it is gone is looked at next


def _has_ended(context: Context, *, keep: bool, asked: int | None) -> bool:
    """Wait until nobody is there; False as soon as it is another daemon than `asked` (None: any will have to leave).

    With `keep` the keeper stays.
    """
    home = context.home
    locks = [home.supervisor_lock] if keep else [home.supervisor_lock, home.keeper_lock]
    deadline = time.monotonic() + LEAVE_LIMIT
    is_said = False
    while pids := [pid for pid in map(holder_pid, locks) if pid is not None]:
        if asked is not None and holder_pid(home.supervisor_lock) not in {None, 0, asked}:
            return False
        if time.monotonic() > deadline:
            raise OvermindError("busy", f"PID {pids[0]} did not exit within {LEAVE_LIMIT:.0f} s. See {home.daemon_log}")
        if not is_said and time.monotonic() > deadline - LEAVE_LIMIT + SILENT_SECONDS:
            is_said = True
            context.note(f"waits until PID {pids[0]} has exited")
        time.sleep(_PAUSE)
    return True


def _has_left(client: Client, hive: Hive) -> bool:
    """Wait until the daemon of a hive ends its connection; nothing else of it can be seen from here."""
    try:
        client.receive(timeout=LEAVE_LIMIT)
    except (ConnectionError, OvermindError):
        return True
    except TimeoutError:
        pass
    raise OvermindError("busy", f"The daemon on {hive.name} did not exit within {LEAVE_LIMIT:.0f} s.")


def _missions(count: int) -> str:
    return f"{count} mission{'' if count == 1 else 's'}"


SHUTDOWN = Command(
    name="shutdown",
    options=[flag("--keep", "keep the missions running; the next daemon adopts them"), YES_TO_ALL, JSON],
    examples=["overmind shutdown", "overmind shutdown --keep", "overmind shutdown -y"],
    notes="A web server in the background goes on, and says that no daemon runs. End it with: overmind web stop",
    run=shutdown,
)


def version(args: Namespace, context: Context) -> int:
    """Print the versions; starts nothing."""
    facts = versions(context.home)
    context.print(dumps(facts) if args.json else version_text(facts))
    return 0


def versions(home: Home) -> dict[str, Any]:
    """Return all versions; `daemon` and `keeper` are null when they don't run, their version when it is not known."""
    from overmind_core.client.stream import call_if_running

    status = call_if_running(home, "status") or {}
    machine = os.uname()
    return {
        "client": VERSION,
        "daemon": _version_of(status, holder_pid(home.supervisor_lock)),
        "keeper": _version_of(status.get("keeper") or {}, holder_pid(home.keeper_lock)),
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": f"{machine.sysname} {machine.release} {machine.machine}",
    }


def _version_of(facts: Mapping[str, Any], pid: int | None) -> Part:
    """Return what a process answered about itself, else what its lock holds."""
    if facts:
        return {"version": facts["version"], "pid": facts["pid"]}
    return None if pid is None else {"version": None, "pid": pid}


def version_text(facts: Mapping[str, Any]) -> str:
    """Return the facts as aligned lines."""
    rows = [
        ("Overmind", facts["client"]),
        ("Daemon", _version_line(facts["daemon"])),
        ("Keeper", _version_line(facts["keeper"])),
        ("Python", facts["python"]),
        ("Platform", facts["platform"]),
    ]
    return "\n".join(f"{name + ':':<10}{display_safe(value)}" for name, value in rows)


def _version_line(part: Part) -> str:
    if part is None:
        return "not running"
    return f"{part['version'] or 'unknown'} (PID {part['pid']})"


VERSION_COMMAND = Command(
    name="version",
    options=[JSON],
    examples=["overmind version", "overmind version --json"],
    run=version,
)


PROGRAM = "overmind_tui"


def tui(args: Namespace, context: Context) -> int:
    """Become the program."""
    words = ["--read-only"] if args.read_only else []
    words += ["--theme", args.theme] if args.theme else []
    words += ["-c", args.view] if args.view else []
    exec_tui(context, words)


def exec_tui(context: Context, words: Sequence[str]) -> NoReturn:
    """Replace this process by the full-screen program.

    Raises:
        OvermindError: nobody could see it, or it can't be started.
    """
    if os.environ.get("TERM") == "dumb":
        message = "TERM=dumb says that this terminal can't move its cursor, and the full-screen program has to."
        raise UsageError(f"{message} Set TERM to what it is, such as xterm-256color. See: overmind ps")
    if not is_on_terminal():
        raise UsageError("The full-screen program needs a terminal for input and output. See: overmind ps")
    context.close()
    sys.stdout.flush()
    # -P: a file named json.py in the folder where somebody stands must not become part of it.
    argv = [sys.executable, "-P", "-m", PROGRAM, *words]
    try:
        os.execve(argv[0], argv, context.environ)  # noqa: S606  (our own program)
    except OSError as error:
        raise OvermindError("internal", f"{argv[0]}: {error.strerror}") from None


def is_on_terminal() -> bool:
    """Whether a person can see and type here."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)) and os.environ.get("TERM") != "dumb"


TUI = Command(
    name="tui",
    options=[
        flag("--read-only", "hide and disable every action that changes something"),
        option("--theme", "NAME", "dark, light, sixteen or any theme of Textual"),
        option("--view", "VIEW", "open this view first, such as events or logs", short="-c"),
    ],
    examples=["overmind tui", "overmind tui --read-only", "overmind tui -c events"],
    run=tui,
)


SHELLS = ("bash", "zsh", "fish")
KINDS = ("live", "finished", "all", "plans", "quests", "rituals", "notes", "questions", "hives")


def completion(args: Namespace, context: Context) -> int:
    """Print the script of a shell, or what the script asks for."""
    if args.list is not None:
        from overmind_core.cli.completion import candidates

        found = candidates(context.home, args.list)
        if found:
            context.print("\n".join(found))
        return 0
    if args.shell is None:
        raise UsageError(f"Missing shell: {', '.join(SHELLS)}. See: overmind completion --help")
    from overmind_core.cli.completion import script

    context.print(script(args.shell).rstrip())
    return 0


COMPLETION = Command(
    name="completion",
    arguments=[argument("shell", "bash, zsh or fish", nargs="?", metavar="shell", choices=SHELLS)],
    options=[
        option(
            "--list",
            "KIND",
            "print the words for completion: missions (live, finished or all), plans, quests, rituals, "
            "notes, questions or hives",
            choices=KINDS,
        )
    ],
    examples=[
        'eval "$(overmind completion bash)"                    # in ~/.bashrc',
        "overmind completion zsh > ~/.zfunc/_overmind          # a folder of fpath",
        "overmind completion fish > ~/.config/fish/completions/overmind.fish",
    ],
    run=completion,
)

COMMANDS = (START, SHUTDOWN, VERSION_COMMAND, TUI, COMPLETION)
