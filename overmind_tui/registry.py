"""One row per view: what it is called, what it shows, where its keys are."""

from __future__ import annotations

from typing import NamedTuple

from overmind_tui.actions import Context


class View(NamedTuple):
    """A view that `:` and `-c` know.

    Attributes:
        name: The word for it.
        aliases: Other words.
        summary: One line for the list of commands.
        context: Whose keys it has.
        empty: What it says when it has nothing to show.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    context: Context
    empty: str = ""


VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "missions",
            ("m", "mission", "ms"),
            "all missions, the log and the load of the selected one",
            Context.MISSIONS,
            "No missions yet.",
        ),
        View("logs", ("l", "log"), "the log of the selected mission", Context.LOG, "Nothing was written yet."),
        View("describe", ("desc",), "everything known about the selected mission", Context.TEXT),
        View("events", ("e", "ev", "event"), "what happened, the newest last", Context.TEXT, "Nothing happened yet."),
        View("help", ("h", "keys"), "the keys of this view", Context.TEXT),
        View("aliases", ("commands", "a"), "all views and verbs", Context.TEXT),
    )
}
LEAVE = {"q": "quit", "quit": "quit", "q!": "quit", "qa": "quit", "exit": "quit"}
"""Words after `:` that leave the program."""


def find(word: str) -> View | None:
    """The view that a word means."""
    known = {alias: view for view in VIEWS.values() for alias in (view.name, *view.aliases)}
    return known.get(word)
