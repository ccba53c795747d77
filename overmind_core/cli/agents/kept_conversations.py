"""The conversations that agents' programs keep in this account's home, read from their files, and who leads one now."""

from __future__ import annotations

import glob
import json
import os
import platform
import sqlite3
import stat
import subprocess
from contextlib import closing, suppress
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from overmind_core.providers.kept_conversations import (
    CONVERSATIONS_QUERY,
    DATABASE_PROVIDER,
    FILE_STORES,
    SAID_QUERY,
    ConversationFile,
    FileStore,
    Said,
    database_path,
    leader_in_record,
    read_conversation,
    without_notes,
)
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HEAD = 256 * 1024
"""Bytes of a conversation's beginning that are read for its folder and first words."""
LONGEST_HEAD = 16 * 1024 * 1024
"""The same where nobody says anything in those."""
TAIL = 512 * 1024
"""Bytes of its end that are read for its last lines."""
_MOST_ROWS = 10_000
_LONGEST_PATH = 64 * 1024
_CLOCKS = 2.0
"""Seconds by which the start of a process and the time of a file that it has written may differ."""
_AGENTS_SECONDS = 10.0


class KeptConversation(NamedTuple):
    """A conversation that a program keeps."""

    provider: str
    session: str
    cwd: str
    changed: float
    """Seconds since the epoch."""
    title: str
    """The first words, or the program's own title."""
    path: str
    """The file, absolute."""
    cost: float | None = None
    """US dollars, as its program counts them."""
    in_database: bool = False


class Leader(NamedTuple):
    """A process that leads a conversation now, and how its program calls the state."""

    pid: int
    state: str = ""
    mission: str = ""
    """The id of the mission that it belongs to; "" for none."""
    background: str = ""
    """The id under which its program runs it in the background."""


def kept_conversations(environ: Mapping[str, str], provider: str | None = None) -> list[KeptConversation]:
    """Return all, newest first; what can't be read is left out."""
    found = [
        one
        for name, store in FILE_STORES.items()
        if provider in {None, name}
        for one in _in_files(name, store, environ)
    ]
    if provider in {None, DATABASE_PROVIDER}:
        found += _in_database(environ)
    return sorted(found, key=lambda one: one.changed, reverse=True)


def last_said(kept: KeptConversation, most: int) -> Sequence[Said]:
    """Return what was said last in a conversation, oldest first."""
    if kept.in_database:
        rows = _rows(kept.path, SAID_QUERY, (kept.session, most))
        said = [Said(role == "user", without_notes(text)) for role, text in reversed(rows) if isinstance(text, str)]
        return [one for one in said if one.text.strip()]
    with suppress(OSError), open(kept.path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - TAIL))
        lines = file.read(TAIL).split(b"\n")
        return read_conversation(FILE_STORES[kept.provider], lines[1 if size > TAIL else 0 :]).said[-most:]
    return ()


def leaders(environ: Mapping[str, str], among: Sequence[KeptConversation]) -> dict[str, Leader]:
    """Return who leads these conversations now, by their ids: what programs say, and who has their files open."""
    found = {os.path.realpath(one.path): one for one in among if not one.in_database}
    held = {os.path.dirname(path): one for path, one in found.items() if FILE_STORES[one.provider].hold}
    led = {one.session: leader for path, one in found.items() if (leader := _recorded_leader(path, one)) is not None}
    for process in psutil.process_iter(["pid"]):
        with suppress(psutil.Error, OSError):
            for opened in process.open_files():
                folder, name = os.path.split(opened.path)
                one = found.get(opened.path) or held.get(folder)
                is_its = one is not None and (opened.path in found or fnmatch(name, FILE_STORES[one.provider].hold))
                if one is not None and is_its and getattr(opened, "mode", "w") != "r":  # others look at it
                    led[one.session] = Leader(process.pid, mission=_mission_of(process))
    if any(one.provider == "claude" for one in among):
        led |= _claude_leaders(environ)
    return led


def _recorded_leader(path: str, kept: KeptConversation) -> Leader | None:
    """The process of the record beside a conversation, unless its number has become that of a later one."""
    ending = FILE_STORES[kept.provider].record
    if not ending:
        return None
    with suppress(psutil.Error, OSError, OverflowError):
        descriptor = os.open(os.path.splitext(path)[0] + ending, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.getuid():
                return None
            pid = leader_in_record(file.read(HEAD), kept.session, platform.node())
        if pid is not None:
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= facts.st_mtime + _CLOCKS:
                return Leader(pid, mission=_mission_of(process))
    return None


def _mission_of(process: psutil.Process) -> str:
    with suppress(psutil.Error, OSError):
        return str(process.environ().get("OVERMIND_MISSION_ID", ""))
    return ""


def _claude_leaders(environ: Mapping[str, str]) -> Iterator[tuple[str, Leader]]:
    """Ask claude for its sessions, those in its background among them; one that does not answer has none."""
    program = environ.get("OVERMIND_CLAUDE_BIN") or "claude"
    try:
        answer = subprocess.run(
            [program, "agents", "--json"], env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_AGENTS_SECONDS, check=False,
        )  # fmt: skip
        listed = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("sessionId"), str) and isinstance(one.get("pid"), int):
            yield one["sessionId"], _claude_leader(one)


def _claude_leader(row: Mapping[str, Any]) -> Leader:
    mission = ""
    with suppress(psutil.Error, OSError, OverflowError, ValueError):
        mission = _mission_of(psutil.Process(row["pid"]))
    is_background = row.get("kind") == "background"
    state = " ".join(str(row[key]) for key in ("status", "waitingFor") if isinstance(row.get(key), str))
    return Leader(row["pid"], state, mission, str(row.get("id", "")) if is_background else "")


def _in_files(provider: str, store: FileStore, environ: Mapping[str, str]) -> Iterator[KeptConversation]:
    root = store.root(environ)
    if root is None:
        return
    for path in glob.iglob(os.path.join(glob.escape(root), store.pattern)):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                facts = os.fstat(descriptor)
                if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.getuid():
                    continue
                head = file.read(HEAD)
                kept, first = _beginning(store, head)
                if not first and len(head) == HEAD:  # its first message may be an image
                    kept, first = _beginning(store, head + file.read(LONGEST_HEAD - HEAD))
            cwd = kept.cwd if not store.folder else _folder(os.path.join(os.path.dirname(path), store.folder))
            if kept.session and cwd and first:
                yield KeptConversation(provider, kept.session, cwd, facts.st_mtime, first, path)


def _folder(path: str) -> str:
    """The path that is all of a file's text; "" where there is none."""
    with suppress(OSError, UnicodeDecodeError):
        text = (read_small_file(path, _LONGEST_PATH) or b"").decode().strip()
        return text if os.path.isabs(text) else ""
    return ""


def _beginning(store: FileStore, head: bytes) -> tuple[ConversationFile, str]:
    kept = read_conversation(store, head.split(b"\n"))
    return kept, next((one.text for one in kept.said if one.by_person), "")


def _in_database(environ: Mapping[str, str]) -> Iterator[KeptConversation]:
    path = database_path(environ)
    if path is None or not os.path.isfile(path):
        return
    for row in _rows(path, CONVERSATIONS_QUERY, (_MOST_ROWS,)):
        session, cwd, title, changed, cost = row
        if isinstance(session, str) and isinstance(cwd, str) and isinstance(changed, int | float):
            cost = float(cost) if isinstance(cost, int | float) and cost >= 0 else None
            yield KeptConversation(
                DATABASE_PROVIDER, session, cwd, changed / 1000, str(title), path, cost, in_database=True
            )


def _rows(path: str, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    """Return rows of a database that another program uses; none where it is another one than we know."""
    address = f"file:{path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=2)) as database:
            return database.execute(query, values).fetchall()
    except sqlite3.Error:
        return []
