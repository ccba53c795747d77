"""The environment that a mission's processes see, the caller's, cleaned, and ours on top; and their folder and program.

Folder and program are looked up before the keeper is asked to start anything, in worker threads with a time limit: a
folder on a hung mount stalls nobody but its own callers.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.isolation.isolation import BRANCH_VARIABLE, WORKTREE_VARIABLE
from overmind_core.domain.missions.environment import renewed_variables
from overmind_core.domain.plans.references import VARIABLE
from overmind_core.domain.quests.variables import VARIABLES as OF_ATTEMPTS
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import NO_FOLDER, OvermindError
from overmind_core.kernel.tasks import Looks
from overmind_core.missions.spec import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.ports import Preparer
    from overmind_core.missions.store import EnvironmentTable


PROGRAM = "_BIN"
"""End of the names of variables by which a person names the program of an agent: `OVERMIND_CODEX_BIN`."""
DROPPED = frozenset(
    {
        "AI_AGENT",
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_MESSAGING_SOCKET",
        "CLAUDE_CODE_MESSAGING_TOKEN",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_PID",
        "CLAUDE_PROJECT_DIR",
    }
)
"""Marks of an agent session around the caller; a person's own configuration stays."""
OUTER_TERMINAL = frozenset({"COLUMNS", "INVOCATION_ID", "LINES", "STY", "VTE_VERSION", "WINDOWID"})
OUTER_TERMINAL_FAMILIES = ("TMUX", "TERM_PROGRAM", "KITTY_", "WEZTERM_", "ITERM_")
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
UNATTENDED = {"PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}
"""Nobody can answer a task that isn't interactive: pagers and prompts must not wait."""

ISOLATION = frozenset({WORKTREE_VARIABLE, BRANCH_VARIABLE})
"""Tell a mission of its own worktree; never inherited."""
NOTES_FILE = "OVERMIND_NOTES"
"""Tells a run which file holds the notes that it is given; nobody chooses or inherits it."""
MARKS = frozenset({"OVERMIND_MISSION_ID", "OVERMIND_MISSION_NAME", "OVERMIND_PARENT_ID"})
"""By these a process is known to belong to a mission, and is ended with it."""


class Identity(NamedTuple):
    """What a mission's processes learn about themselves."""

    mission: str
    name: str
    home: str
    parent: str | None
    cwd: str


def compose(
    inherited: Mapping[str, str],
    chosen: Mapping[str, str],
    identity: Identity,
    *,
    tty: bool,
    unattended: bool,
    tools: str | None,
) -> dict[str, str]:
    """The whole environment of a run. `chosen` wins over every default; `tools` is a folder for the end of PATH."""
    found = dict(inherited)
    for name in _dropped(tuple(inherited), tty):
        del found[name]
    if tty:
        found.update(TERMINAL)
    if unattended:
        found.update(UNATTENDED)
    found.update((name, value) for name, value in chosen.items() if not _is_ours(name) or _is_given(name))
    found["PWD"] = identity.cwd
    if tools is not None:
        found["PATH"] = f"{found['PATH']}:{tools}" if found.get("PATH") else tools
    found["OVERMIND_MISSION_ID"] = identity.mission
    found["OVERMIND_MISSION_NAME"] = identity.name
    found["OVERMIND_HOME"] = identity.home
    if identity.parent is not None:
        found["OVERMIND_PARENT_ID"] = identity.parent
    return found


def _is_ours(name: str) -> bool:
    return name.startswith("OVERMIND_") and not name.endswith(PROGRAM)


def _is_given(name: str) -> bool:
    """Whether a plan or the queue gives it to each attempt, or isolation to its mission; it is never inherited."""
    return name.startswith(VARIABLE) or name in OF_ATTEMPTS or name in ISOLATION


def without_given(environment: Environment) -> Environment:
    """The same without what a plan, the queue or isolation has given the mission that it is of."""
    return environment._replace(chosen={name: one for name, one in environment.chosen.items() if not _is_given(name)})


@lru_cache(maxsize=64)  # the same names come with every mission of a burst
def _dropped(names: tuple[str, ...], tty: bool) -> tuple[str, ...]:  # noqa: FBT001 - a key by position is found sooner
    return tuple(name for name in names if _is_dropped(name, tty=tty))


def _is_dropped(name: str, *, tty: bool) -> bool:
    if name in DROPPED or _is_ours(name):
        return True
    return tty and (name in OUTER_TERMINAL or name.startswith(OUTER_TERMINAL_FAMILIES))


LOOKUP_SECONDS = 5.0
TRUE_FOR = 0.2
"""Seconds in which what was found is found there again without a look.
Should it be gone just then, the keeper can't start it: then `forget`, and look again."""
SHELL = "/bin/sh"
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="lookup")


Question = tuple[str, str, str]
"""Program, folder, PATH; in wire form."""


class Located(NamedTuple):
    """Where the mission runs and what; `tools`: our bin folder when `overmind` is not on its PATH."""

    program: str
    cwd: str
    tools: str | None


class Locator:
    """Looks programs up; used from the loop's thread."""

    def __init__(self) -> None:
        self._looks: Looks[Question, Located] = Looks(_pool, _locate, patience=LOOKUP_SECONDS, true_for=TRUE_FOR)

    async def locate(self, argv0: str, cwd: str, environment: Mapping[str, str]) -> Located:
        """Resolve the program as a shell in `cwd` with this PATH would. All texts in wire form.

        Raises:
            OvermindError: `cwd_not_found`, `not_found` (the program), `timeout` (the file system doesn't answer).
        """
        question = argv0, cwd, environment.get("PATH") or DEFAULT_PATH
        try:
            return await self._looks.find(question)
        except TimeoutError:
            text = f"The file system of {cwd} does not answer. Is a mount hung?"
            raise OvermindError("timeout", text) from None

    def forget(self) -> None:
        """What was found may be there no more."""
        self._looks.forget()


def _locate(question: Question) -> Located:
    argv0, cwd, path = map(from_wire, question)
    if not os.path.isabs(cwd):
        raise OvermindError("cwd_not_found", f"The working directory {to_wire(cwd)} is not an absolute path.")
    if not os.path.isdir(cwd):
        kind = "is not a directory. Name another one with --cwd." if os.path.exists(cwd) else NO_FOLDER
        raise OvermindError("cwd_not_found", f"The working directory {to_wire(cwd)} {kind}")
    if not os.access(cwd, os.X_OK):
        raise OvermindError(
            "cwd_not_found", f"The working directory {to_wire(cwd)} can't be entered: permission denied."
        )
    return Located(to_wire(_program(argv0, cwd, path)), to_wire(cwd), _tools(cwd, path))


def _program(argv0: str, cwd: str, path: str) -> str:
    if "/" in argv0:
        candidate = os.path.join(cwd, argv0)
        if _is_executable(candidate):
            return candidate
        why = "is not executable" if os.path.exists(candidate) else "does not exist"
        raise OvermindError("not_found", f"The program {to_wire(argv0)} {why}.")
    found = _search(argv0, cwd, path)
    if found is None:
        raise OvermindError("not_found", f"No program named '{to_wire(argv0)}' on PATH.")
    return found


def _search(name: str, cwd: str, path: str) -> str | None:
    for folder in path.split(":"):
        candidate = os.path.join(cwd, folder, name)
        if _is_executable(candidate):
            return candidate
    return None


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _tools(cwd: str, path: str) -> str | None:
    """Our bin folder when a mission would not find `overmind` otherwise."""
    ours = os.path.dirname(sys.executable)
    if not _is_executable(os.path.join(ours, "overmind")) or _search("overmind", cwd, path):
        return None
    return to_wire(ours)


class SavedEnvironments:
    """What each mission's caller sent, as it was saved."""

    def __init__(self, journal: Journal, table: EnvironmentTable) -> None:
        self._journal = journal
        self._table = table

    def of(self, mission_id: str) -> Environment:
        """The environment of a mission; empty for one that was removed."""
        self._journal.flush()
        saved = self._table.get(mission_id)
        parts = json.loads(saved) if saved else {}
        return Environment(parts.get("inherited", {}), parts.get("chosen", {}))

    def renew(self, mission_id: str, session: Mapping[str, str]) -> None:
        """Have the next runs of a mission find what serves this login session, such as its agent of ssh."""
        saved = self.of(mission_id)
        inherited = renewed_variables(saved.inherited, session)
        if inherited != saved.inherited:
            text = json.dumps({"inherited": inherited, "chosen": saved.chosen})
            self._journal.save(lambda: self._table.save(mission_id, text))


class Environments:
    """The same with what is the mission's own: ports and services, which its caller's choice overrides."""

    def __init__(self, saved: SavedEnvironments, preparer: Preparer) -> None:
        self._saved = saved
        self._preparer = preparer

    def of(self, mission_id: str) -> Environment:
        """The environment that a mission's programs are started with."""
        saved = self._saved.of(mission_id)
        return saved._replace(chosen={**self._preparer.environment(mission_id), **saved.chosen})

    def elsewhere(self, mission_id: str) -> Environment:
        """The environment for a program that works for a mission in another folder: without its ports and services."""
        return self._saved.of(mission_id)
