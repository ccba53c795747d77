"""What `overmind isolate` answers, as a person reads it. Pure."""

from __future__ import annotations

from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Answer = Mapping[str, Any]

_WIDTH = 10
"""Cells of the words on the left."""


def is_wrong(answer: Answer) -> bool:
    """Whether a mission could not be isolated like that."""
    return bool(answer["problems"]) or answer["engine_problem"] is not None


def text_of(answer: Answer) -> str:
    """Return the whole text, safe for a terminal."""
    facts = [f"{word:<{_WIDTH}}{display_safe(what)}" for word, what in _facts(answer)]
    parts = ["\n".join(facts)]
    lists = {
        "Runs": answer["commands"],
        "Steps": [f"{number}. {one['text']}" for number, one in enumerate(answer["steps"], start=1)],
        "Notes": answer["notes"],
        "Problems": [*answer["problems"], *([answer["engine_problem"]] if answer["engine_problem"] else [])],
    }
    parts += [
        "\n".join([title, *(f"  {display_safe(one)}" for one in lines)]) for title, lines in lists.items() if lines
    ]
    return "\n\n".join(parts)


def _facts(answer: Answer) -> Iterator[tuple[str, str]]:
    yield "File", answer["path"] or f"none in {answer['source']}"
    if answer["path"] is not None and answer["sha256"] is not None:
        yield "Trusted", _trust(answer)
    if answer["path"] is not None and answer["sha256"] is None:  # it could not be read: nothing is known
        return
    if answer["worktree"]:
        yield "Worktree", f"{answer['source']}/.overmind/worktrees/<id>"
        yield "Branch", f"{answer['branch']} from {answer['base']}"
    else:
        yield "Worktree", "none"
    if answer["ports"]:
        yield "Ports", ", ".join(map(_port, answer["ports"]))
    if answer["engine"]:
        yield "Engine", answer["engine"]


def _trust(answer: Answer) -> str:
    if answer["trusted"]:
        return "yes"
    return "no, it has changed: overmind trust" if answer["changed"] else "not yet: overmind trust"


def _port(one: Mapping[str, Any]) -> str:
    name = one["service"] or "PORT"
    port = "none" if one["port"] is None else str(one["port"])
    wanted = one["wanted"]
    return f"{name} {port}" if wanted in {None, one["port"]} else f"{name} {port} (for {wanted})"
