"""A text in the person's own pager."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

from overmind_tui.machine import outside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_tui.app import OvermindApp

NO_PAGERS = frozenset({"cat", "/bin/cat", "/usr/bin/cat"})
"""What programs without a person use; nobody could read what they print."""


def page(app: OvermindApp, text: str, name: str) -> None:
    """Show a text in $PAGER, and come back once that is left; `name` stands in the file's name."""
    import tempfile  # noqa: PLC0415 - not for the first frame

    handle, path = tempfile.mkstemp(prefix=f"overmind-{name}-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text + "\n")
    argv = _pager(app.world.environ)
    if argv is None:
        os.unlink(path)
        app.flash("no pager: set PAGER, or install less", "bad")
        return
    outside.run(app, [*argv, path], cwd="/", then=lambda _code: os.unlink(path))


def _pager(environ: Mapping[str, str]) -> list[str] | None:
    try:
        words = shlex.split(environ.get("PAGER", ""))
    except ValueError:
        words = []
    if words and words[0] not in NO_PAGERS:
        return words
    found = next((path for name in ("less", "more") if (path := shutil.which(name, path=environ.get("PATH")))), None)
    return None if found is None else [found]
