"""Finding a mission's folder and program before the keeper is asked to start it.

Looked up in worker threads with a time limit: a folder on a hung mount stalls nobody but its own callers. Those who
ask the same at the same time, as a burst of starts does, share one look.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire, to_wire

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOKUP_SECONDS = 5.0
TRUE_FOR = 0.2
"""Seconds in which what was found is found there again without a look: a burst of starts asks the same all the time.
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
        self._under_way: dict[Question, asyncio.Future[Located]] = {}
        self._fresh: dict[Question, Located] = {}
        """What was found just now."""

    async def locate(self, argv0: str, cwd: str, environment: Mapping[str, str]) -> Located:
        """Resolve the program as a shell in `cwd` with this PATH would. All texts in wire form.

        Raises:
            OvermindError: `cwd_not_found`, `not_found` (the program), `timeout` (the file system doesn't answer).
        """
        question = argv0, cwd, environment.get("PATH") or DEFAULT_PATH
        if (fresh := self._fresh.get(question)) is not None:
            return fresh
        look = self._look(question)
        answered, _ = await asyncio.wait([look], timeout=LOOKUP_SECONDS)
        if not answered:
            raise OvermindError("timeout", f"The file system of {cwd} does not answer. Is a mount hung?")
        return look.result()

    def forget(self) -> None:
        """What was found may be there no more."""
        self._fresh.clear()

    def _look(self, question: Question) -> asyncio.Future[Located]:
        look = self._under_way.get(question)
        if look is None:
            loop = asyncio.get_running_loop()
            look = self._under_way[question] = loop.run_in_executor(_pool, _locate, question)
            look.add_done_callback(lambda done: self._looked(question, done))
        return look

    def _looked(self, question: Question, look: asyncio.Future[Located]) -> None:
        del self._under_way[question]
        if not look.cancelled() and look.exception() is None:  # whoever still waits sees it; nobody else has to
            self._fresh[question] = look.result()
            look.get_loop().call_later(TRUE_FOR, self._fresh.pop, question, None)


def _locate(question: Question) -> Located:
    argv0, cwd, path = map(from_wire, question)
    if not os.path.isabs(cwd):
        raise OvermindError("cwd_not_found", f"The working directory {to_wire(cwd)} is not an absolute path.")
    if not os.path.isdir(cwd):
        kind = "is not a directory" if os.path.exists(cwd) else "does not exist"
        raise OvermindError("cwd_not_found", f"The working directory {to_wire(cwd)} {kind}.")
    if not os.access(cwd, os.X_OK):
        raise OvermindError("cwd_not_found", f"The working directory {to_wire(cwd)} may not be entered.")
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
