"""A diff on stdout: as git made it for programs; for a person harmless lines, with colours."""

from __future__ import annotations

import os
import sys

from overmind_core.domain.cells import display_safe, pad, width
from overmind_core.wire.bytestrings import from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    File = Mapping[str, Any]

_HEAD, _PLACE, _NEW, _OLD = "1", "36", "32", "31"
"""SGR numbers, those of git: see ECMA-48."""
_PATH_CELLS = 60
_BEGIN_OF_FILE, _BEGIN_OF_PLACE = "diff --git ", "@@"


def write(text: str) -> None:
    """Write text of the wire to a program, byte for byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(from_wire(text)))
    sys.stdout.buffer.flush()


def shown(diff: str, *, colour: bool) -> Iterator[str]:
    """Yield the lines for a person: nothing in them drives a terminal."""
    inside = False
    for line in diff.removesuffix("\n").split("\n"):
        if line.startswith(_BEGIN_OF_FILE):
            inside = False
        elif line.startswith(_BEGIN_OF_PLACE):
            inside = True
        safe = safe_line(line)
        code = _colour(line, inside=inside) if colour else ""
        yield f"\x1b[{code}m{safe}\x1b[0m" if code and safe else safe


def safe_line(line: str) -> str:
    """Return a line that keeps its tabs and nothing else that a terminal acts on."""
    return "\t".join(map(display_safe, line.split("\t")))


def stat(files: Sequence[File], *, colour: bool) -> Iterator[str]:
    """Yield a line for each file, and one for all together."""
    names = [_name(one) for one in files]
    cells = min(max(map(width, names), default=0), _PATH_CELLS)
    for name, one in zip(names, files, strict=True):
        yield f" {one['status']} {pad(name, cells)} | {_counts(one, colour=colour)}"
    added, removed = (sum(one[key] for one in files) for key in ("added", "removed"))
    yield f" {_number(len(files), 'file')} changed, {_number(added, 'line')} added, {_number(removed, 'line')} removed"


def _name(one: File) -> str:
    name = display_safe(one["path"])
    return name if one["old_path"] is None else f"{display_safe(one['old_path'])} => {name}"


def _counts(one: File, *, colour: bool) -> str:
    if one["binary"]:
        return "binary"
    added, removed = f"+{one['added']}", f"-{one['removed']}"
    return f"\x1b[{_NEW}m{added}\x1b[0m \x1b[{_OLD}m{removed}\x1b[0m" if colour else f"{added} {removed}"


def _colour(line: str, *, inside: bool) -> str:
    if not inside:
        return _HEAD
    return {"+": _NEW, "-": _OLD, "@": _PLACE}.get(line[:1], "")


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
