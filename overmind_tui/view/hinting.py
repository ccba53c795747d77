"""Which keys the header names in the room that it has: in one line, or in columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from overmind_core.domain.cells import width
from overmind_tui.actions import Action, shown_key
from overmind_tui.view.cells import Cell

HELP = "help"
"""The action whose hint stays longest."""
GAP = 3
"""Cells between two columns."""


@lru_cache(maxsize=64)
def line(hints: tuple[Action, ...], room: int) -> list[Cell]:
    """As many as fit, the most used first; the way to all others is the last to go."""
    texts = {action.name: (f"<{shown_key(action.keys[0])}>", f"{action.label} ") for action in hints}
    needs = {name: width(key) + width(label) for name, (key, label) in texts.items()}
    kept = [name for name in texts if name == HELP and needs[name] <= room]
    room -= sum(needs[name] for name in kept)
    for name in texts:
        if name in kept:
            continue
        if needs[name] > room:
            break
        kept.append(name)
        room -= needs[name]
    shown = [texts[name] for name in texts if name in kept]
    return [cell for key, label in shown for cell in (Cell(key, "key"), Cell(label, "label"))]


@lru_cache(maxsize=64)
def columns(hints: tuple[Action, ...], room: int, lines: int) -> list[list[Cell]]:
    """As many columns of `lines` hints as fit; the way to all others stays with the last of them.

    Returns:
        The cells of each line; without any where not even one column fits.
    """
    count = -(-len(hints) // lines)
    while count:
        shown = _chosen(hints, count * lines)
        groups = [shown[at : at + lines] for at in range(0, len(shown), lines)]
        drawn = [_column(group, lines) for group in groups]
        if sum(size for _, size in drawn) + GAP * (count - 1) <= room:
            return [_joined([column[at] for column, _ in drawn]) for at in range(lines)]
        count -= 1
    return [[] for _ in range(lines)]


@lru_cache(maxsize=64)
def needed(hints: tuple[Action, ...], lines: int) -> int:
    """Cells that all of them take in columns."""
    groups = [hints[at : at + lines] for at in range(0, len(hints), lines)]
    return sum(_column(group, lines)[1] for group in groups) + GAP * max(len(groups) - 1, 0)


def _chosen(hints: Sequence[Action], count: int) -> list[Action]:
    """The first `count`, the way to all others among them."""
    shown = list(hints[:count])
    left = [action for action in hints[count:] if action.name == HELP]
    return [*shown[: count - len(left)], *left]


def _column(group: Sequence[Action], lines: int) -> tuple[list[list[Cell]], int]:
    """The cells of each line, all of one width, and that width."""
    keys = [f"<{shown_key(action.keys[0])}>" for action in group]
    key = max(map(width, keys))
    label = max(width(action.label) for action in group)
    drawn = [
        [Cell(f"{one:<{key}} ", "key"), Cell(f"{action.label:<{label}}", "label")]
        for one, action in zip(keys, group, strict=True)
    ]
    blank = [[Cell(" " * (key + 1 + label))]] * (lines - len(group))
    return [*drawn, *blank], key + 1 + label


def _joined(parts: Sequence[Sequence[Cell]]) -> list[Cell]:
    return [cell for place, part in enumerate(parts) for cell in ((Cell(" " * GAP), *part) if place else part)]
