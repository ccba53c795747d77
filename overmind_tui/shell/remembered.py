"""What the program remembers from its last time: a small JSON file in the home, shared by all programs of that home.

Nothing in it is needed: a file that is missing, broken or of a later version is as good as none. Several programs write
it: what one adds to a list or a table, or takes from it, is done to what the others have written meanwhile.

Lines that were typed after `:` and `/` are among it, the newest last, each once.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from overmind_core.system.lock import wait_lock
from overmind_core.system.paths import Home

NAME, LOCK = "tui.json", "tui.lock"
LAST_VIEW = "last_view"
"""The name of the view that was open."""
_LARGEST = 8_000_000
"""Bytes; a file beyond that was not written by us."""
_MOST = 200
"""Texts of a list, or entries of a table."""
_LOCK_SECONDS = 2.0
"""Seconds to wait for another program's write."""
Value = TypeVar("Value", bool, int, float, str, list[str], dict[str, Any])


class Remembered:
    """Remembered values by name.

    Args:
        home: Whose file it is.
    """

    def __init__(self, home: Home) -> None:
        self._path = os.path.join(home.root, NAME)
        self._lock_path = os.path.join(home.root, LOCK)
        self._changed: dict[str, Any] = {}
        self._known = _read(self._path)
        self._saved = dict(self._known)
        """Our own values, as they were read or written last."""
        self._lock = threading.Lock()

    def get(self, name: str, default: Value) -> Value:
        """What is remembered by this name; the default when that is nothing, or nothing of the same type."""
        found = self._known.get(name, default)
        return found if _alike(found, default) else default

    def put(self, **values: bool | float | str | list[str] | Mapping[str, Any]) -> None:
        """Remember these; `save` keeps them."""
        self._known.update(values)
        self._changed.update(values)

    def save(self) -> None:
        """Do what was put since then to what others wrote, in one step. Blocks: for a thread.

        A disk that takes nothing is no reason to disturb anybody: it is then forgotten.
        """
        with self._lock:
            changed, self._changed = self._changed, {}
            if not changed:
                return
            try:
                self._write(changed)
            except OSError:
                self._changed = changed | self._changed
            else:
                self._saved |= changed

    def _write(self, changed: Mapping[str, Any]) -> None:
        fresh = f"{self._path}.{os.getpid()}"
        lock = wait_lock(self._lock_path, _LOCK_SECONDS)
        try:
            theirs = _read(self._path)
            ours = {name: _merged(self._saved.get(name), value, theirs.get(name)) for name, value in changed.items()}
            with open(fresh, "w", encoding="utf-8", opener=_private) as file:
                json.dump(theirs | ours, file, ensure_ascii=False, indent=1)
            os.replace(fresh, self._path)
        finally:
            if lock is not None:
                lock.release()


def _merged(before: object, ours: object, theirs: object) -> object:
    """What becomes of another one's value where ours was `before` and is `ours` now."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        known = before if isinstance(before, dict) else {}
        gone = known.keys() - ours.keys()
        new = {key: value for key, value in ours.items() if key not in known or known[key] != value}
        kept = {key: value for key, value in theirs.items() if key not in gone and key not in new}
        return dict(list((kept | new).items())[-_MOST:])
    if isinstance(ours, list) and isinstance(theirs, list):
        new_texts = _added(before if isinstance(before, list) else [], ours)
        return [*(one for one in theirs if one not in new_texts), *new_texts][-_MOST:]
    return ours


def _added(before: list[str], ours: list[str]) -> list[str]:
    """The end of a list that was put behind what was in it before, of which some may have moved there."""
    old = iter(before)
    return ours[next((at for at, one in enumerate(ours) if one not in old), len(ours)) :]


def _alike(found: object, default: object) -> bool:
    """Whether they are of one type: lists of texts are all that lists may be, and a whole number is a number."""
    if isinstance(found, list):
        return isinstance(default, list) and all(isinstance(one, str) for one in found)
    return type(found) is type(default) or (type(found) is int and type(default) is float)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


MOST = 200
LONGEST = 10_000
"""Characters of a line that is still worth keeping: a longer one was pasted by mistake."""
_NAMES = {":": "commands", "/": "filters"}


class TypedHistory:
    """Typed lines by the sign that they were typed after.

    Args:
        known: What is remembered of the last time.
        keep: Remembers for the next time.
    """

    def __init__(self, known: Remembered, keep: Callable[..., None]) -> None:
        self._keep = keep
        nothing: list[str] = []
        self._lines = {sign: known.get(name, nothing)[-MOST:] for sign, name in _NAMES.items()}

    def of(self, sign: str) -> list[str]:
        """The lines after a sign."""
        return self._lines.get(sign, [])

    def add(self, sign: str, text: str) -> None:
        """A line was entered."""
        if not text.strip() or len(text) > LONGEST or sign not in _NAMES:
            return
        past = [line for line in self._lines[sign] if line != text]
        self._lines[sign] = [*past, text][-MOST:]
        self._keep(**{_NAMES[sign]: self._lines[sign]})
