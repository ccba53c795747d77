"""What tells a home from all others, whatever they call it: a random id in a file of its own."""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from overmind_core.system.paths import Home


def hive_id(home: Home) -> str:
    """Return it; it is made by the first who asks. Empty: it can be neither read nor made."""
    try:
        found = _read(home.hive_id)
        return found if found is not None else _make(home.hive_id)
    except (OSError, ValueError):
        return ""


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read(64).strip()
    except FileNotFoundError:
        return None


def _make(path: str) -> str:
    """Make the file, whole from the moment at which others see it; somebody else may be faster."""
    fresh = f"{path}.{os.getpid()}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(os.urandom(16).hex())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(fresh)
    return _read(path) or ""
