"""A project's file runs commands: a person sees them, and says yes, before anything of it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_tui.screens.dialog import Answer
from overmind_tui.screens.readfirst import ReadFirst
from overmind_tui.view.cells import safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

Answers = Sequence[Any | OvermindError]
UNTRUSTED = "untrusted_project"
MOST = 12
"""Commands that the question shows."""


def is_asked(error: OvermindError) -> bool:
    """Whether a person can allow what was refused."""
    return error.code == UNTRUSTED and {"path", "sha256", "commands"} <= error.fields.keys()


def ask(app: OvermindApp, error: OvermindError, request: Mapping[str, Any], then: Callable[[], None]) -> None:
    """Show what the file of a project would run; trust it, and go on, once the person says yes.

    Args:
        app: Who asks.
        error: The refusal.
        request: What was refused, with `cwd` and `env`.
        then: Asks for the same again.
    """

    def told(answers: Answers) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            app.flash(safe(answer.message), "bad")
        else:
            then()

    def trust() -> None:
        asked = {"cwd": request["cwd"], "env": request["env"], "sha256": error.fields["sha256"], "revoke": False}
        app.request("trust", [asked], told)

    answers = [
        Answer(("y",), "trust it, and start", trust, "slow"),
        Answer(("n",), "cancel", lambda: app.flash("nothing was started · isolate: no does without it", "quiet")),
    ]
    app.open(ReadFirst("trust this project?", lines(error.fields), answers, first=1))


def lines(fields: Mapping[str, Any]) -> list[str]:
    """What a person has to know before they trust a file."""
    why = "has changed since you trusted it" if fields.get("changed") else "is not trusted yet"
    commands = [safe(command) for command in fields["commands"]]
    head = [safe(fields["path"]), f"{why}. It runs:" if commands else f"{why}. It runs no commands."]
    more = len(commands) - MOST
    return [*head, *(f"  {command}" for command in commands[:MOST]), *([f"  … and {more} more"] if more > 0 else [])]
