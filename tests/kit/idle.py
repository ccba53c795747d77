"""When a program under Textual's pilot has nothing more to do: asked of its event loop instead of the clock.

The pilot itself waits, twice for each key, until a fiftieth of a second has gone by in which the process did next to
nothing: most of the time that a test of the screen took, and on a busy machine never true.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from textual import app, pilot
from textual._context import active_app

if TYPE_CHECKING:
    import pytest
    from textual.app import App

LONGEST = 5.0
"""Seconds; what never rests is looked at as it is then."""
ROUNDS = 2
"""How often the loop must turn with nothing ready: a task that was cancelled needs one to go."""


def install(patch: pytest.MonkeyPatch) -> None:
    """Have the pilot wait so."""
    for module in (app, pilot):
        patch.setattr(module, "wait_for_idle", idle)


async def idle(_shortest: float = 0.0, longest: float = LONGEST) -> None:
    """Let all tasks go on until none can, and do what Textual's own timers would: tell the size, draw a frame.

    What threads, other timers and other processes bring is no part of it: that is waited for by what it does.
    """
    loop = asyncio.get_running_loop()
    deadline = time.monotonic() + max(longest, LONGEST)
    while time.monotonic() < deadline:
        await _drained(loop, deadline)
        program = active_app.get(None)
        if program is None or not (_size_published(program) or _drawn(program)):
            return


async def _drained(loop: Any, deadline: float) -> None:
    quiet = 0
    while quiet < ROUNDS and time.monotonic() < deadline:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1


def _size_published(program: App[Any]) -> bool:
    """Whether the terminal had another size, which the screens now know."""
    if program._resize_event is None or not program._screen_stack:
        return False
    program._check_resize()
    return True


def _drawn(program: App[Any]) -> bool:
    """Whether a frame was due, or a screen below the one on top has something to do after its last one."""
    if not program._screen_stack or not program.is_running or program._batch_count:
        return False
    screen, below = program.screen, [one for one in program._screen_stack[:-1] if one._callbacks]
    for one in below:
        one._on_timer_update()
    due = (
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )
    if due:
        screen._on_timer_update()
    return bool(due or below)
