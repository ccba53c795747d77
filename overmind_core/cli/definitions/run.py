"""Commands that start missions: `run`, and `claude run`, the same with `--provider claude`."""

from __future__ import annotations

import os

from overmind_core.cli import caller_environment
from overmind_core.cli.agents.options import AGENT, LIMITS, MEMORY, PROVIDER, given_agent, given_memory, is_agent
from overmind_core.cli.command import JSON, Command, flag, grouped, option
from overmind_core.cli.context import Context
from overmind_core.cli.isolation.options import ISOLATION, SENDING, given_isolation
from overmind_core.cli.missions.options import POLICY, given_policy
from overmind_core.cli.swarm.run_on import SWARM_OPTIONS, take_context, with_variables
from overmind_core.cli.swarm.run_on import check as check_on
from overmind_core.cli.values import label, mission_name, terminal_size, variable_pair
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import INTERRUPTED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def run(args: Namespace, context: Context) -> int:
    """Start it, and with --wait or -it stay until its end."""
    from overmind_core.cli.definitions.start import start_mission  # start-up: --help needs none

    variables = take_context(args, context)
    check_on(args)
    _check_stay(args)
    request = with_variables(run_request(args, context) | _sent(args, context), variables)
    if args.on is not None or args.lineage is not None:
        from overmind_core.cli.swarm.run_on import post_run  # start-up: for posts alone

        return post_run(args, context, request)
    mission = start_mission(args, context, "run", request, message="Started mission {id} ({name})".format_map)
    if mission is None:
        return INTERRUPTED
    if args.type == "session" and args.rest and not is_agent(args):
        from overmind_core.providers.terminal_rows import warning  # start-up: for programs on a terminal alone

        if text := warning(request["command"]):
            context.note(text)
    if not args.wait and not args.tty:
        return 0
    stay = _follow if args.wait else _join
    status = stay(context, mission, is_removed=args.rm)
    if args.rm:
        _remove(context, mission)
    return status


def _sent(args: Namespace, context: Context) -> dict[str, Any]:
    """Send the work around the caller to the hive that is to isolate it; return the arguments that name it there."""
    if context.hive is None or args.cwd is not None or not (args.isolate or args.base):
        if args.dirty:
            raise UsageError("--dirty is for work that is sent to another hive: -H NAME --isolate, without --cwd.")
        return {}
    from overmind_core.cli.hives.sent_work import send  # start-up: only with -H and --isolate

    return send(context.hive, context, base=args.base, dirty=args.dirty)


def _check_stay(args: Namespace) -> None:
    """Refuse what contradicts itself, before anything is started.

    Raises:
        UsageError: as it says.
        OvermindError: `invalid`, there is no terminal to join from.
    """
    if args.wait and args.tty:
        raise UsageError("--wait and --tty can't be used together: each follows the mission to its end.")
    for name in ("wait", "tty"):
        if args.detach and getattr(args, name):
            raise UsageError(f"--detach and --{name} can't be used together.")
    if args.interactive and args.no_tty:
        raise UsageError("--interactive and --no-tty can't be used together: leave out --no-tty.")
    if args.tty and args.no_tty:
        raise UsageError("--tty and --no-tty can't be used together.")
    if args.rm and not (args.wait or args.tty):
        raise UsageError("--rm needs --wait or -it. Remove finished missions with: overmind rm, overmind prune")
    if args.tty:
        from overmind_core.cli.attach.commands import check_terminal

        check_terminal("overmind run --wait")


def _join(context: Context, mission: Mapping[str, Any], *, is_removed: bool) -> int:
    """Stay at its terminal; of a program that ended before that was here, print what it has written."""
    from overmind_core.cli.attach.commands import join  # start-up: only with --tty

    return join(context, mission["id"], missed=lambda: _follow(context, mission, is_removed=is_removed))


def _remove(context: Context, mission: Mapping[str, Any]) -> None:
    """Remove the mission with its log, unless the person left it while it runs."""
    try:
        context.client().call("rm", {"id": mission["id"]})
    except OvermindError as error:
        if error.code != "not_finished":
            raise
        if "background" in error.fields:
            context.note(display_safe(error.message))
            return
        context.note(f"Mission {mission['id']} is still running. Remove it with: overmind rm -f {mission['name']}")


def run_request(args: Namespace, context: Context) -> dict[str, Any]:
    """Return the arguments of the request `run`.

    Raises:
        OvermindError: something that no program can be given.
    """
    request = given_work(args, context.environ) | given_agent(args)
    request |= {
        "command": "" if is_agent(args) else given_command(args.rest, may_be_empty=args.type == "session"),
        **context.starting_place(args.cwd, clean=args.clean_env),
        "request": request_key(),
    }
    return request | {name: value for name in ("type", "parent") if (value := getattr(args, name)) is not None}


def given_work(args: Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return how a program is to run: policy, isolation, variables of its own, terminal, name and labels.

    Raises:
        OvermindError: something that no program can be given.
    """
    request = (
        given_policy(args)
        | given_isolation(args)
        | given_memory(args)
        | {
            "env_set": caller_environment.given_variables(args.env_file, args.env, environ),
            "interactive": args.interactive,
            "tty": not args.no_tty,
            "labels": dict(args.label),
        }
    )
    if args.name is not None:
        request["name"] = args.name
    if args.size is not None:
        request["columns"], request["rows"] = args.size
    return request


def request_key() -> str:
    """Return a key by which the daemon recognises the repetition of a request."""
    return os.urandom(_REQUEST_KEY).hex()


def given_command(words: list[str], *, may_be_empty: bool = False) -> str | list[str]:
    """Return a shell string for one word, an argv for several; none at all means the caller's shell.

    Raises:
        OvermindError: `empty_command`, `too_large`, `invalid`.
    """
    if may_be_empty and not words:
        return ""
    if not words or not words[0].strip():
        raise OvermindError("empty_command")
    caller_environment.check_arguments(words)
    return words[0] if len(words) == 1 else words


def _follow(context: Context, mission: Mapping[str, Any], *, is_removed: bool) -> int:
    from overmind_core.cli.finished import note_end_of_mission  # start-up: only with --wait
    from overmind_core.cli.follow_logs import follow_until_end

    try:
        status = follow_until_end(context, mission["id"])
    except KeyboardInterrupt:
        context.note(f"\nMission {mission['id']} keeps running. Return with: overmind logs -f {mission['name']}")
        return INTERRUPTED
    note_end_of_mission(context, mission["id"], is_removed=is_removed)
    return status


_WORLD = [
    option("--cwd", "FOLDER", "working directory (default: the current one)", short="-w", also=["--workdir"]),
    option(
        "--env", "NAME=VALUE", "set a variable; NAME alone copies the caller's (repeatable)",
        short="-e", parse=variable_pair, repeat=True,
    ),
    option("--env-file", "FILE", "file of NAME=VALUE lines (repeatable)", repeat=True),
    flag("--clean-env", "keep only HOME, PATH, LANG and similar variables"),
]  # fmt: skip

RUN_OPTIONS = [
    option("--name", "NAME", "name (default: generated)", short="-n", parse=mission_name),
    option("--label", "KEY=VALUE", "label to select it by (repeatable)", short="-l", parse=label, repeat=True),
    option(
        "--type", "TYPE", "task or session (default: task; session for an agent with --interactive)",
        choices=("task", "session"),
    ),
    option("--parent", "ID", "make it a child of this mission"),
    flag("--wait", "follow its output, say how it failed, and exit with its code; ctrl-c leaves it running"),
    flag("--detach", "return at once (the default)", short="-d"),
    flag("--interactive", "connect its input to its terminal; an agent is a session on its own screen", short="-i"),
    flag("--tty", "attach to its terminal until it ends; ctrl-\\ detaches; usually -it", short="-t"),
    flag("--rm", "with --wait or -it: remove it with its log when it ends"),
    JSON,
    *grouped("Where it runs", _WORLD),
    *ISOLATION,
    *grouped("Where it runs", [
        option("--size", "COLUMNSxROWS", "terminal size (default 80x24)", parse=terminal_size),
        flag("--no-tty", "use pipes instead of a terminal, and keep stdout and stderr apart"),
    ]),
    *POLICY,
    *LIMITS,
    *MEMORY,
    *AGENT,
]  # fmt: skip
"""All but the provider, and but the place in a swarm."""

RUN = Command(
    name="run",
    rest="CMD...",
    options=[PROVIDER, *RUN_OPTIONS, *SENDING, *SWARM_OPTIONS],
    examples=[
        "overmind run 'make test && make install'",
        "overmind run --name api --restart always ./server --port 8080",
        "overmind run --wait --timeout 10m -- pytest -x",
        "overmind run --rm -it python3",
        "overmind run --type session                             # your shell",
        "overmind run --type session --provider claude --name planner 'read the code, then wait for me'",
        "overmind run --type session --orchestrator --max-cost 20 'port the parser to Rust'",
    ],
    notes=(
        "Options come before the command; -- ends them. One word is a shell string; several words run without a "
        "shell, unchanged. A time without a unit is seconds, but for --backoff, where it is milliseconds; every "
        "duration takes the units ms, s, m, h and d.\n\n"
        "With --provider the words are the agent's prompt; - reads it from standard input. A session without a "
        "command runs your $SHELL. An agent's session without a prompt waits for: overmind send\n\n"
        "With -H and --isolate (or --base) the commit around you is sent to that hive, and the worktree is made there. "
        "Uncommitted work is sent with --dirty alone. It comes back with: overmind merge HIVE/NAME"
    ),
    run=run,
)


def claude_run(args: Namespace, context: Context) -> int:
    """Start a Claude agent with a prompt."""
    args.provider = "claude"
    return run(args, context)


CLAUDE_RUN = Command(
    name="claude run",
    rest="PROMPT...",
    options=[*RUN_OPTIONS, *SENDING, *SWARM_OPTIONS],
    examples=[
        "overmind claude run fix the failing tests",
        "overmind claude run --wait --allowed-tools Bash 'run the tests and say what fails'",
        "git diff | overmind claude run --wait --max-cost 0.50 -",
        "overmind claude run --type session --name planner",
    ],
    notes=(
        "Options come before the prompt; -- ends them. Several words are joined; - reads the prompt from standard "
        "input. A task answers and ends; a session continues with: overmind send"
    ),
    run=claude_run,
)

COMMANDS = (RUN, CLAUDE_RUN)
