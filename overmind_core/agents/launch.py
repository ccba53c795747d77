"""How an agent's next run begins: as what, with which program, words and files."""

from __future__ import annotations

import glob
import os
import stat
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.conversation import first_prompt, fork_of_run, plan_run
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.providers.base import LaunchRequest
from overmind_core.providers.lines import read_object, text_at
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.agents.plain_conversations import PlainConversations
    from overmind_core.agents.session import Session
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.providers.base import InteractiveProvider, Launch, Provider

LEAST_COST = 0.01
"""US dollars; a program takes no limit of 0."""
_LONGEST_FILE = 4 * 1024 * 1024
_RECORD = 256 * 1024
"""Bytes of a conversation's record that are read; in a larger one something was said."""
LOOPBACK = "127.0.0.1"
_LONG_PROMPT = 100_000
"""Bytes from which on a prompt is no argument."""


def checked_mission(session: Session, mission: Mission, plain: PlainConversations) -> Mission:
    """The mission as its next run shall be: with a terminal or with pipes, with the program that is asked for."""
    port = free_port() if session.provider.serves and session.state.run != mission.run else 0
    is_new = session.state.run != mission.run
    planned = plan_run(session.state, mission.run, session=str(uuid4()), token=os.urandom(16).hex(), port=port)
    if planned != session.state:
        session.put(replace(planned, permission_mode=session.agent.permission_mode))
    if is_new and not session.provider.speaks_json:
        plain.plan(session, mission)
    interactive = session.state.mode is AgentMode.INTERACTIVE
    definition = replace(mission.definition, tty=interactive, interactive=interactive)
    if not session.provider.speaks_json:
        return mission
    return mission if definition == mission.definition else replace(mission, definition=definition)


def free_port() -> int:
    """A TCP port of loopback that nobody has now."""
    import socket  # noqa: PLC0415 - few agents have a server

    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])


def launch_of(session: Session, mission: Mission, notes: str | None, environ: Mapping[str, str]) -> Launch | None:
    """Return the start of the mission's newest run, with these notes, in this environment; None for a plain program.

    Raises:
        OvermindError: `invalid`, it can't be started so.
    """
    if not session.provider.speaks_json:
        return None
    if session.state.resumed:
        spare_file(session.provider, session.state.session, environ)
    first = first_message(session)
    start = LaunchRequest(
        mode=session.state.mode,
        agent=_affordable(session),
        session=session.state.session,
        resume=session.state.resumed,
        hook=_hook(mission.id, session.state.token),
        texts=_texts(session, mission, environ),
        first_prompt=None if first is None else session.text_of(first),
        notes=notes,
        fork=fork_of_run(session.state),
        cwd=mission.definition.cwd,
        opener=(sys.executable, "-P", "-m", "overmind_core.agents.opener"),
        port=session.state.port,
        password=session.state.token,
    )
    try:
        session.launch = session.provider.launch(start)
    except ValueError as error:
        raise OvermindError("invalid", str(error)) from None
    return session.launch


def has_forgotten(session: Session, environ: Mapping[str, str]) -> bool:
    """Whether the program would resume a conversation of which its record holds nothing any more.

    Where there is no record, the program says it itself.
    """
    is_begun_again = session.state.resumed and not session.state.adopted
    pattern = session.provider.conversations(environ) if is_begun_again else None
    if pattern is None:
        return False
    before, _, after = from_wire(pattern).partition("*")
    name = after.removeprefix("/").format(session=session.state.session)
    try:
        folders = [entry.path for entry in os.scandir(before)]
    except OSError:
        return False
    records = [path for folder in folders if os.path.isfile(path := os.path.join(folder, name))]
    return bool(records) and not any(_has_turn(session, path) for path in records)


def spare_file(program: Provider, known: str, environ: Mapping[str, str]) -> None:
    """Call the file of a conversation as it has to be called before its program opens that again.

    Raises:
        OvermindError: `invalid`, it can't be; to open it would lose it.
    """
    wanted = program.reopened_file(known, {"HOME": os.path.expanduser("~"), **environ})
    if wanted is None:
        return
    pattern = from_wire(wanted.pattern)
    if _sizes(pattern.removesuffix(wanted.before) + wanted.after, known):
        return
    path = max(sizes, key=sizes.__getitem__) if (sizes := _sizes(pattern, known)) else None
    if path is None:
        return  # the program will say it
    try:
        os.rename(path, path.removesuffix(wanted.before) + wanted.after)
    except OSError as error:
        text = f"The conversation's file {path!r} can't be renamed, and would be lost: {error.strerror}."
        raise OvermindError("invalid", text) from None


def _sizes(pattern: str, session: str) -> dict[str, int]:
    """Return the files of a conversation, as their first lines say, and how large each is."""
    found: dict[str, int] = {}
    for path in glob.glob(pattern):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                facts = os.fstat(descriptor)
                first = read_object(file.readline(_RECORD)) if stat.S_ISREG(facts.st_mode) else ""
            if not isinstance(first, str) and text_at(first, "sessionId") == session:
                found[path] = facts.st_size
    return found


def _has_turn(session: Session, path: str) -> bool:
    try:
        with open(path, "rb") as file:
            record = file.read(_RECORD)
    except OSError:
        return True  # the program will say it
    return len(record) == _RECORD or session.provider.has_turn(record)


def _affordable(session: Session) -> Agent:
    """The agent with what is left of its cost limit: its program counts each process anew."""
    limit = session.agent.max_cost
    return replace(session.agent, max_cost=max(LEAST_COST, limit - session.state.cost)) if limit else session.agent


def first_message(session: Session) -> int | None:
    """The message with which the newest run begins by itself, unless it has to be typed."""
    first = first_prompt(session.state) if session.provider.speaks_json else None
    is_given = first is not None and (session.provider.serves or _is_argument(session, session.text_of(first)))
    return first if is_given else None


def _is_argument(session: Session, text: str) -> bool:
    program: InteractiveProvider = session.provider  # type: ignore[assignment] # only providers with that mode begin so
    return len(text.encode()) < _LONG_PROMPT and program.is_argument(text)


def _texts(session: Session, mission: Mission, environ: Mapping[str, str]) -> dict[str, str]:
    """The files that the provider wants to read and that are there; one that can't be read is an empty text."""
    found: dict[str, str] = {}
    for name in session.provider.reads(session.agent, environ):
        path = os.path.join(from_wire(mission.definition.cwd), from_wire(name))
        try:
            data = read_small_file(path, _LONGEST_FILE)
            found |= {} if data is None else {name: data.decode("utf-8")}
        except NotADirectoryError:
            continue
        except (OSError, UnicodeDecodeError):
            found[name] = ""
    return found


def _hook(mission_id: str, token: str) -> tuple[str, ...]:
    """What an agent's hooks run: by its path, for PATH may lack us."""
    return (sys.executable, "-P", "-m", "overmind_core.cli", "hook", "--mission", mission_id, "--token", token)
