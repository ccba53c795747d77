"""One request for each of several rows, and one flash for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.errors import OvermindError
from overmind_tui.view.cells import Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

Answers = Sequence[Any | OvermindError]
NAMED = 3
"""Refusals that the flash names."""


class Doing(NamedTuple):
    """What is done.

    Attributes:
        command: The request.
        word: What is said while it goes on.
        done: What is said once it went well.
        plural: What several rows are called.
        tail: What is said of a single one besides.
    """

    command: str
    word: str
    done: str
    plural: str
    tail: str = ""


def each(app: OvermindApp, doing: Doing, rows: Sequence[Row]) -> None:
    """Ask for it, and say what became of it."""
    names = {row["id"]: safe(row["name"]) for row in rows}
    first = next(iter(names.values()))
    app.flash(f"{doing.word} {first if len(rows) == 1 else f'{len(rows)} {doing.plural}'} …", "quiet")

    def told(answers: Answers) -> None:
        failed = [(name, one) for name, one in zip(names.values(), answers, strict=True)
                  if isinstance(one, OvermindError)]  # fmt: skip
        app.flash(_said(doing, list(names.values()), failed), "bad" if failed else "good")

    app.request(doing.command, [{"id": one} for one in names], told)


def _said(doing: Doing, names: Sequence[str], failed: Sequence[tuple[str, OvermindError]]) -> str:
    if len(names) == 1:
        return f"{names[0]}: {failed[0][1].message}" if failed else f"{doing.done} {names[0]}{doing.tail}"
    refused = ", ".join(f"{name}: {error.code}" for name, error in failed[:NAMED])
    return " · ".join(filter(None, (f"{doing.done} {len(names) - len(failed)} of {len(names)}", refused)))
