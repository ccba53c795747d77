"""What a person does with the mouse, as a terminal's program may be told of it."""

from __future__ import annotations

from textual import events

from overmind_core.terminal.mouse import Action, Button, MouseEvent

_BUTTONS = {1: Button.LEFT, 2: Button.MIDDLE, 3: Button.RIGHT}
_ACTIONS: dict[type[events.MouseEvent], Action] = {
    events.MouseMove: Action.MOVE,
    events.MouseUp: Action.RELEASE,
}
_WHEEL: dict[type[events.MouseEvent], Button] = {
    events.MouseScrollUp: Button.WHEEL_UP,
    events.MouseScrollDown: Button.WHEEL_DOWN,
}


def pointed(event: events.MouseEvent, column: int, row: int) -> MouseEvent:
    """The same in the terminal, whose cells count from 0."""
    button = _WHEEL.get(type(event)) or _BUTTONS.get(event.button, Button.NONE)
    action = _ACTIONS.get(type(event), Action.PRESS)
    return MouseEvent(action, button, column, row, event.shift, event.meta, event.ctrl)
