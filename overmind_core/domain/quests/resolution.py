"""What the resolution of a conflict has left out of one file: changes that had landed there before. Pure.

A command that knows nothing of git may write a whole file again after a conflict in it: the other side is gone then,
though no mark of a conflict is left. Lines are compared as a bag, so no guess is made about where they belong. Work
that brings both sides together in words of its own keeps neither side whole, and is nobody's loss.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.quests.quest import DroppedChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_LINES = 10
"""Lines of one file that are kept and shown."""
LONGEST_LINE = 200
"""Characters of one."""


class FileSides(NamedTuple):
    """One file as it stood around a conflict; None: there was none."""

    base: str | None
    """Where both sides went apart."""
    landed: str | None
    """On the target, as the conflict was met."""
    own: str | None
    """In the work, as the conflict was met."""
    now: str | None
    """On the target, as it is."""
    result: str | None
    """As it would be on the target next."""


def dropped_change(path: str, whose: Sequence[str], sides: FileSides) -> DroppedChange | None:
    """Return what a resolution has left out, where it is the work's own side; None: nothing, or it is none of them.

    Args:
        path: Of the file.
        whose: Names of those whose change had landed.
        sides: The file.
    """
    if sides.result == sides.now or sides.landed == sides.base:
        return None
    by = " and ".join(whose) or "others"
    if any("\0" in (text or "") for text in sides):
        is_own = sides.result == sides.own and sides.now == sides.landed
        return DroppedChange(path, f"{path} would be as it was before the change of {by}") if is_own else None
    base, landed, own, now, result = (_lines(text) for text in sides)
    added, ours = (landed - base) - (own - base), (own - base) - (landed - base)
    added &= now
    lost = _missing(added, base, result)
    is_own = sides.result == sides.own or (lost == added and bool(ours) and not _missing(ours, base, result))
    if not is_own:
        return None
    if lost:
        return _dropped(path, f"lose {_count(lost)} of {by}", "-", _in_order(sides.landed, lost))
    back = ((base - landed) - (base - own)) & (result - now)
    if back:
        return _dropped(path, f"get back {_count(back)} that {by} removed", "+", _in_order(sides.base, back))
    return None


def dropped_sentence(dropped: Sequence[DroppedChange]) -> str:
    """Return what would be gone, as sentences."""
    return " ".join(f"{one.text}." for one in dropped)


def dropped_lines(dropped: Sequence[DroppedChange]) -> list[str]:
    """Return the lines of all files, below the names of those."""
    return [line for one in dropped if one.lines for line in (f"{one.path}:", *one.lines)]


def _lines(text: str | None) -> Counter[str]:
    """How often each line is there; blank ones say nothing about whose they are."""
    return Counter(line for line in (text or "").splitlines() if line.strip())


def _missing(added: Counter[str], base: Counter[str], result: Counter[str]) -> Counter[str]:
    """Those of the added lines that the result has not, beside the ones that were there before."""
    kept = result - base
    return Counter({line: count - kept[line] for line, count in added.items() if count > kept[line]})


def _dropped(path: str, what: str, sign: str, lines: Sequence[str]) -> DroppedChange:
    shown = tuple(f"{sign} {line[:LONGEST_LINE]}" for line in lines[:MOST_LINES])
    more = len(lines) - len(shown)
    return DroppedChange(path, f"{path} would {what}", (*shown, f"… and {more} more") if more else shown)


def _in_order(text: str | None, wanted: Mapping[str, int]) -> list[str]:
    left, found = dict(wanted), []
    for line in (text or "").splitlines():
        if left.get(line):
            left[line] -= 1
            found.append(line)
    return found


def _count(lines: Counter[str]) -> str:
    number = lines.total()
    return "1 line" if number == 1 else f"{number} lines"
