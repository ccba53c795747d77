"""The Program Status Protocol: a program on a terminal reports what it does. Its records. Pure.

A record is one system command, `ESC ] 7501 ; key=value:key=value ST`. It replaces the one before of the same id; ids
that have a `/` are of parts of a program, such as its helpers. Texts are Base64 of UTF-8. What a record says is a
program's word, and may be anybody's text: it is cut short here, and whoever shows it escapes it.

Source: "Program Status Protocol", revision 0.4; bytes of claude, codex and pi.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import NamedTuple

MOST_TEXT = 4000
"""Characters of a text, and of an id or a name."""
_MOST_ENCODED = 4 * MOST_TEXT * 4 // 3
"""Characters that such a text takes as Base64 at most."""


class ProgramState(StrEnum):
    """A state that a program can report."""

    IDLE = "idle"
    """Waiting for a person's next message."""
    WORKING = "working"
    BLOCKED = "blocked"
    """Unable to go on before a person has answered."""
    DONE = "done"
    """As idle, right after it has ended its task."""
    ERROR = "error"
    """As done, where that went wrong."""
    CLEAR = "clear"
    """Nothing that was reported before holds any more."""


class BlockedBy(StrEnum):
    """What a blocked program waits for."""

    PERMISSION = "permission"
    QUESTION = "question"
    AUTH = "auth"


class StatusRecord(NamedTuple):
    """One record."""

    state: ProgramState
    kind: BlockedBy | None = None
    """None: it does not say."""
    app: str = ""
    id: str = ""
    title: str = ""
    message: str = ""

    @property
    def is_of_program(self) -> bool:
        """Whether it is about the program as a whole, and not about a part of it."""
        return "/" not in self.id


def read_record(body: str) -> StatusRecord | None:
    """Return the record in a system command behind its number; None: it is the question, or none that is known.

    Keys that are not known mean nothing; of two the last one counts.
    """
    fields = dict(field.partition("=")[::2] for field in body.split(":"))
    try:
        state = ProgramState(fields.get("state", ""))
    except ValueError:
        return None
    kind = fields.get("kind", "")
    return StatusRecord(
        state,
        BlockedBy(kind) if kind in set(BlockedBy) else None,
        app=fields.get("app", "")[:MOST_TEXT],
        id=fields.get("id", "")[:MOST_TEXT],
        title=_decoded(fields.get("title", "")),
        message=_decoded(fields.get("msg", "")),
    )


def _decoded(text: str) -> str:
    """A text; "" where it is no Base64, or longer than anybody reads."""
    if len(text) > _MOST_ENCODED:
        return ""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return data.decode("utf-8", "replace")[:MOST_TEXT]
