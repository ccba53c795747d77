"""What the list of missions says when it has no row to show: why that is, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from overmind_tui.view.cells import Cell, safe

Lines = Sequence[Sequence[Cell]]
YES, NO = "✔", "✗"


def loading() -> Lines:
    """Nobody has answered yet."""
    return [[Cell("loading …", "quiet")]]


def filtered(text: str, *, attention: bool) -> Lines:
    """There are missions, but not one that is asked for."""
    if attention and not text:
        return [[Cell("Nobody needs attention.", "good")], [], _key("ctrl-z", "shows all missions again")]
    return [[Cell(f"No mission matches /{safe(text)}")], [], _key("esc", "shows all missions again")]


def nothing(agents: Mapping[str, bool] | None, *, read_only: bool) -> Lines:
    """There is no mission at all.

    Args:
        agents: Each agent's program and whether it is installed; None while nobody has looked.
        read_only: Leave out what starts something.
    """
    starting = [_key("n", "new"), _key(":demo", "see it alive (nothing leaves this machine)")]
    return [
        [Cell("No missions yet.", "title")],
        [],
        *([] if read_only else starting),
        [*_key(":doctor", "what is installed"), *_installed(agents or {})],
        _key("?", "keys"),
    ]


def _installed(agents: Mapping[str, bool]) -> list[Cell]:
    cells: list[Cell] = []
    for name, there in agents.items():
        cells += [Cell(f"{' ' if cells else ' ('}{name} ", "label"), Cell(*((YES, "good") if there else (NO, "off")))]
    return [*cells, Cell(")", "label")] if cells else []


def _key(key: str, label: str) -> list[Cell]:
    return [Cell(f"{key:<9}", "key"), Cell(label, "label")]
