"""The keyboard protocols that a program has asked its terminal for: kitty's flags and xterm's key resources.

We press no keys by them: they are kept for those who join the terminal late, whose keys would else come in another
encoding than the program expects. Each screen has a stack of flags of its own.

Source: the kitty keyboard protocol, "Progressive enhancement"; XTerm Control Sequences, "XTMODKEYS".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST_PUSHED = 16
"""Entries of a stack; a terminal forgets the oldest beyond its own limit."""
MOST_RESOURCES = 16
LARGEST = 0xFFFF
_REPLACE, _ADD, _REMOVE = 1, 2, 3


class Keyboard:
    """The state of both protocols. Others read it; only what the program writes changes it."""

    __slots__ = ("_resources", "_stacks")

    def __init__(self) -> None:
        self._stacks: tuple[list[int], list[int]] = ([0], [0])
        """Flags of the primary and of the alternate screen, the current ones last."""
        self._resources: dict[int, int] = {}

    def push(self, flags: int, *, alternate: bool) -> None:
        """`CSI > flags u`."""
        stack = self._stacks[alternate]
        stack.append(min(flags, LARGEST))
        if len(stack) > MOST_PUSHED:
            del stack[0]

    def pop(self, count: int, *, alternate: bool) -> None:
        """`CSI < count u`; with nothing left no flag is set."""
        stack = self._stacks[alternate]
        del stack[max(0, len(stack) - max(count, 1)) :]
        if not stack:
            stack.append(0)

    def set_flags(self, flags: int, how: int, *, alternate: bool) -> None:
        """`CSI = flags ; how u`: 1 these flags, 2 these too, 3 all but these."""
        stack, flags = self._stacks[alternate], min(flags, LARGEST)
        if how == _REPLACE:
            stack[-1] = flags
        elif how == _ADD:
            stack[-1] |= flags
        elif how == _REMOVE:
            stack[-1] &= ~flags

    def set_resource(self, resource: int, value: int | None) -> None:
        """`CSI > resource ; value m`; without a value it is as at the beginning."""
        if value is None:
            self._resources.pop(resource, None)
        elif len(self._resources) < MOST_RESOURCES or resource in self._resources:
            self._resources[resource] = min(value, LARGEST)

    def forget_resources(self) -> None:
        """`CSI > m`."""
        self._resources.clear()

    def current(self, *, alternate: bool) -> int:
        """The flags of a screen that count now."""
        return self._stacks[alternate][-1]

    def flags(self, *, alternate: bool) -> Iterator[str]:
        """What sets the flags of a screen on a terminal that shows it, and has none set."""
        base, *pushed = self._stacks[alternate]
        if base:
            yield f"\x1b[={base}u"
        yield from (f"\x1b[>{flags}u" for flags in pushed)

    def resources(self) -> Iterator[str]:
        """What sets the resources."""
        yield from (f"\x1b[>{resource};{value}m" for resource, value in sorted(self._resources.items()))


def apply_flags(keyboard: Keyboard, how: str, parameters: Sequence[int], *, alternate: bool) -> None:
    """A sequence of kitty's: `how` is the character behind `CSI`."""
    first = parameters[0] if parameters else 0
    if how == ">":
        keyboard.push(first, alternate=alternate)
    elif how == "<":
        keyboard.pop(first, alternate=alternate)
    else:
        keyboard.set_flags(first, parameters[1] if len(parameters) > 1 else _REPLACE, alternate=alternate)


def apply_resource(keyboard: Keyboard, parameters: Sequence[int]) -> None:
    """A sequence of xterm's."""
    if not parameters:
        keyboard.forget_resources()
    else:
        keyboard.set_resource(parameters[0], parameters[1] if len(parameters) > 1 else None)
