"""Requests about notes: whose folder they mean, texts without secrets, and all about one note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.view.cells import Row, safe

if TYPE_CHECKING:
    from overmind_core.domain.memory.redaction import Redacted
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]


def folder(shell: Shell) -> str:
    """The folder whose notes are meant, as requests name it."""
    return to_wire(shell.world.folder)


def without_secrets(shell: Shell, text: str) -> Redacted:
    """A text without what the person's environment keeps secret: no daemon, and no agent, gets to see that."""
    from overmind_core.domain.memory.redaction import redact, secret_values  # noqa: PLC0415 - not for the first frame

    return redact(text, secret_values(shell.world.environ))


def fetch_note(shell: Shell, note: str, then: Callable[[Row], None], failed: Callable[[], None]) -> None:
    """Ask for a note with its history; what makes that impossible is a flash, and then `failed` is called."""

    def on_result(answers: Answers) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            shell.flash(safe(answer.message), "bad")
            failed()
        else:
            then(answer)

    shell.request("note", [{"note": note, "history": True, "cwd": folder(shell)}], on_result)
