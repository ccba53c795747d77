"""From a `run` request to a definition: what can be refused is refused here, by name, before anything exists."""

from __future__ import annotations

import os
import shlex
import signal
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.mission import Definition, Kind, Restart, RestartPolicy
from overmind_core.domain.missions.names import LONGEST_NAME, name_problem
from overmind_core.domain.plans.blueprint import MOST_RETRIES
from overmind_core.domain.text.cells import MOST_CELLS
from overmind_core.domain.text.duration import DurationError, parse_duration
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.requests import Amount, Start, Update

MAX_TEXT = 128 * 1024
"""Bytes; the kernel takes no longer argument or environment entry. Source: execve(2), MAX_ARG_STRLEN."""
BYTES_PER_CHARACTER = 4
"""At most, in UTF-8."""
SHELL = "/bin/sh"
LONGEST_COMMAND = 1000
"""Characters of a prompt that stand for the whole in lists."""
MAX_LABELS = 64
_KINDS: dict[str, Kind] = {kind.value: kind for kind in (Kind.TASK, Kind.SESSION)}
_RESTARTS = {"never": Restart.NEVER, "on-failure": Restart.ON_FAILURE, "always": Restart.ALWAYS}


def definition(request: Start, agent: Agent | None, *, name: str, parent: str | None) -> Definition:
    """Check a request and turn it into a definition; `agent` is what it asks for, None for a plain task.

    Raises:
        OvermindError: naming the first thing that is wrong.
    """
    kind = kind_of(request)
    talks = agent is not None and bool(agent.program)
    argv = (agent.program,) if agent is not None and talks else _argv(request, kind)
    check_environment(request.env)
    check_environment(request.env_set)
    if not (1 <= request.columns <= MOST_CELLS and 1 <= request.rows <= MOST_CELLS):
        raise OvermindError("invalid", f"--size {request.columns}x{request.rows}: each must be 1 to {MOST_CELLS}.")
    if request.interactive and not request.tty:
        raise OvermindError("invalid", "--interactive needs a terminal: leave out --no-tty.")
    return Definition(
        name=name,
        command=_command(request, agent, argv),
        argv=argv,
        cwd=request.cwd,
        kind=kind,
        provider=request.provider,
        interactive=request.interactive,
        tty=request.tty,
        columns=request.columns,
        rows=request.rows,
        umask=request.umask & 0o777,
        parent=parent,
        labels=_labels(request.labels),
        restart=_policy(request),
        activity_timeout=seconds(request.activity_timeout, "--activity-timeout"),
        grace=seconds(request.grace, "--grace"),
        stop_signal=signal_number(request.stop_signal),
        timeout=seconds(request.timeout, "--timeout", unit="ms"),
        leave_background=request.leave_background,
        stall_waiting=request.stall_waiting,
        max_children=request.max_children,
        max_depth=request.max_depth,
        max_cost=request.max_cost,
        max_tokens=request.max_tokens,
        notes=request.notes,
    )


def wants_isolation(request: Start) -> bool | None:
    """Whether it is to be isolated, as a base is for a worktree alone; None: where the project says so.

    Raises:
        OvermindError: `invalid`, the base names no branch, or it is not to be isolated.
    """
    if request.base is None:
        return request.isolate
    if not request.base or "\0" in request.base:
        raise OvermindError("invalid", "--base needs the name of a branch.")
    if request.isolate is False:
        raise OvermindError("invalid", "--base needs a worktree: omit --no-isolate.")
    return True


def shell_definition(
    command: str,
    *,
    name: str,
    parent: str | None,
    cwd: str,
    umask: int = 0o022,
    timeout: float = 0.0,
    restart: RestartPolicy | None = None,
    labels: dict[str, str] | None = None,
) -> Definition:
    """The definition of a shell command that the system itself runs, such as the check of a quest.

    Raises:
        OvermindError: `empty_command`, `invalid`, `too_large`.
    """
    argv = _shell_argv(command)
    return Definition(
        name=name,
        command=command,
        argv=argv,
        cwd=cwd,
        umask=umask & 0o777,
        parent=parent,
        labels=_labels(labels or {}),
        restart=restart or RestartPolicy(),
        timeout=timeout,
    )


def _command(request: Start, agent: Agent | None, argv: tuple[str, ...]) -> str:
    """One line for people: the command as given, or what the agent is to do."""
    if agent is not None and agent.program:
        lines = (agent.prompt or "").strip().splitlines()
        return lines[0][:LONGEST_COMMAND] if lines else os.path.basename(agent.program)
    return request.command if isinstance(request.command, str) and request.command else shlex.join(argv)


def updated(before: Definition, request: Update) -> Definition:
    """The definition with the request's changes.

    Raises:
        OvermindError: naming the first thing that is wrong.
    """
    policy = before.restart
    policy = RestartPolicy(
        when=policy.when if request.restart is None else restart_policy(request.restart),
        max_restarts=policy.max_restarts if request.max_restarts is None else _count(request.max_restarts),
        window=policy.window if request.max_seconds is None else _window(request.max_seconds),
        backoff=policy.backoff if request.backoff is None else seconds(request.backoff, "--backoff", unit="ms"),
    )
    labels = {**before.labels, **{key: value for key, value in request.labels.items() if value is not None}}
    for key, value in request.labels.items():
        if value is None:
            labels.pop(key, None)
    leave = request.leave_background
    return replace(
        before,
        name=before.name if request.name is None else checked_name(request.name),
        labels=_labels(labels),
        restart=policy,
        activity_timeout=_or(request.activity_timeout, before.activity_timeout, "--activity-timeout"),
        grace=_or(request.grace, before.grace, "--grace"),
        stop_signal=before.stop_signal if request.stop_signal is None else signal_number(request.stop_signal),
        timeout=before.timeout if request.timeout is None else seconds(request.timeout, "--timeout", unit="ms"),
        leave_background=before.leave_background if leave is None else leave,
    )


def checked_name(name: str) -> str:
    """The name itself when it may be given.

    Raises:
        OvermindError: `invalid`, saying what a name looks like.
    """
    problem = name_problem(name)
    if problem is not None:
        raise OvermindError("invalid", f"{problem}: {name[: 2 * LONGEST_NAME]!r}." if name else f"{problem}.")
    return name


@lru_cache(maxsize=256)  # nearly every request has the defaults
def seconds(amount: Amount, option: str, *, unit: str = "s") -> float:
    """A duration in seconds; a bare number counts in `unit`.

    Raises:
        OvermindError: `invalid`, naming the option.
    """
    try:
        text = f"{amount:.3f}" if isinstance(amount, float) else str(amount)
        return parse_duration(text, default_unit=unit)
    except DurationError as error:
        raise OvermindError("invalid", f"{option}: {error}") from None


def checked_retries(retries: int) -> int:
    """The number itself; raises `too_large`."""
    if retries > MOST_RETRIES:
        raise OvermindError("too_large", f"--retries {retries} is too many; the limit is {MOST_RETRIES}.")
    return retries


def restart_policy(text: str) -> Restart:
    """The policy that `--restart` names.

    Raises:
        OvermindError: `invalid`, listing the policies.
    """
    try:
        return _RESTARTS[text.replace("_", "-")]
    except KeyError:
        known = ", ".join(_RESTARTS)
        raise OvermindError("invalid", f"Unknown restart policy {text!r}. Known: {known}.") from None


@lru_cache(maxsize=64)
def signal_number(given: str | int) -> int:
    """A signal's number from its name (`TERM`, `SIGTERM`) or number.

    Raises:
        OvermindError: `invalid`, naming what was given.
    """
    text = str(given).upper()
    try:
        return int(signal.Signals(int(text)) if text.isdigit() else signal.Signals[f"SIG{text.removeprefix('SIG')}"])
    except (KeyError, ValueError):
        raise OvermindError("invalid", f"Unknown signal {given!r}. Use a name such as TERM, INT or HUP.") from None


def _or(given: Amount | None, before: float, option: str) -> float:
    return before if given is None else seconds(given, option)


def kind_of(request: Start) -> Kind:
    """Return what `--type` names; without it, an agent with `--interactive` is a session.

    Raises:
        OvermindError: `invalid`, listing the types.
    """
    if request.type is None:
        return Kind.SESSION if request.interactive and request.provider != RAW else Kind.TASK
    kind = _KINDS.get(request.type)
    if kind is None:
        raise OvermindError("invalid", f"Unknown type {request.type!r}. Known: task, session.")
    return kind


def _argv(request: Start, kind: Kind) -> tuple[str, ...]:
    command = request.command
    if not command and kind is Kind.SESSION:
        return ({**request.env, **request.env_set}.get("SHELL") or SHELL,)
    if isinstance(command, str):
        return _shell_argv(command)
    argv = tuple(command)
    if not argv or not argv[0]:
        raise OvermindError("empty_command", "Missing command: give one, as in `overmind run make test`.")
    for number, text in enumerate(argv):
        check_text(text, f"Argument {number}")
    return argv


def _shell_argv(command: str) -> tuple[str, ...]:
    if not command.strip():
        raise OvermindError("empty_command", "Missing command: give one, as in `overmind run 'make test'`.")
    check_text(command, "The command")
    return (SHELL, "-c", command)


def check_environment(environment: Mapping[str, str]) -> None:
    """See that a program can be started in this environment.

    Raises:
        OvermindError: `invalid` or `too_large`, naming the variable.
    """
    if _is_plain(environment):
        return
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name:
            raise OvermindError("invalid", f"{name!r} is not a valid name for an environment variable.")
        check_text(f"{name}={value}", f"The environment variable {name}")


def _is_plain(environment: Mapping[str, str]) -> bool:
    """One glance at an environment that is right and small as a whole, as nearly all are."""
    names, values = "".join(environment), "".join(environment.values())
    few = (len(names) + len(values)) * BYTES_PER_CHARACTER < MAX_TEXT
    return few and "" not in environment and "=" not in names and "\0" not in names and "\0" not in values


def check_text(text: str, what: str) -> None:
    """Refuse what no program can be passed; raises `invalid`, `too_large`."""
    if "\0" in text:
        raise OvermindError("invalid", f"{what} contains a NUL character, which can't be passed to a program.")
    if len(text) >= MAX_TEXT or len(text.encode()) >= MAX_TEXT:
        raise OvermindError("too_large", f"{what} is {len(text.encode())} bytes long; the limit is {MAX_TEXT - 1}.")


def _policy(request: Start) -> RestartPolicy:
    return RestartPolicy(
        when=restart_policy(request.restart),
        max_restarts=_count(request.max_restarts),
        window=_window(request.max_seconds),
        backoff=seconds(request.backoff, "--backoff", unit="ms"),
    )


def _count(number: int) -> int:
    if number < 0:
        raise OvermindError("invalid", f"--max-restarts {number}: must be 0 (unlimited) or more.")
    return number


def _window(amount: Amount) -> float:
    window = seconds(amount, "--max-seconds")
    if window <= 0:
        raise OvermindError("invalid", f"--max-seconds {amount}: must be greater than 0.")
    return window


def _labels(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > MAX_LABELS:
        raise OvermindError("too_large", f"{len(labels)} labels; the limit is {MAX_LABELS}.")
    for key in labels:
        if not key or "=" in key or not key.isprintable():
            raise OvermindError("invalid", f"{key!r} is not a label: use --label key=value.")
    return labels


def check_editable(mission: Mission) -> None:
    """Refuse to change by hand what a file says.

    Raises:
        OvermindError: `invalid`, it is a plan.
    """
    if mission.definition.kind is Kind.BLUEPRINT:
        message = f"Mission {mission.id} ({mission.definition.name}) is a plan"
        raise OvermindError("invalid", f"{message}: edit its file, then run overmind apply FILE.")
