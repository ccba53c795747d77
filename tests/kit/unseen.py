"""Frames of a program that runs without a terminal: drawn when somebody looks, not to be thrown away.

Textual draws each frame, and only then finds that there is no terminal: two fifths of what a test of the screen took.
What a screen shows in the end, when it is closed or the program leaves, is drawn though nobody looks, so that a fault
in drawing is still found; `make torture` draws every frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual._compositor import Compositor
from textual._context import active_app, visible_screen_stack
from textual.app import App
from textual.screen import Screen

from tests.kit import torture

if TYPE_CHECKING:
    import pytest

_update, _suspend, _shutdown = Compositor.render_update, Screen._on_screen_suspend, App._shutdown


def install(patch: pytest.MonkeyPatch) -> None:
    """Have programs without a terminal draw so."""
    if not torture.WHOLE:
        patch.setattr(Compositor, "render_update", _updated)
    patch.setattr(Screen, "_on_screen_suspend", _suspended)
    patch.setattr(App, "_shutdown", _shut_down)


def uninstall(patch: pytest.MonkeyPatch) -> None:
    """Have them draw every frame again."""
    patch.setattr(Compositor, "render_update", _update)


def _updated(drawn: Compositor, *, screen_stack: list[Screen[Any]], full: bool = False, **how: Any) -> Any:
    program = active_app.get(None)
    if full or program is None or not program.is_headless:  # who wants all of it looks at it
        return _update(drawn, full=full, screen_stack=screen_stack, **how)
    visible_screen_stack.set(screen_stack)
    drawn._dirty_regions.clear()
    return None


def _suspended(screen: Screen[Any]) -> None:
    if screen not in screen.app.screen_stack:  # closed, and not covered by another
        screen._compositor.render_strips()
    _suspend(screen)


async def _shut_down(program: App[Any]) -> None:
    try:
        if program._running and program._screen_stack:
            program.screen._compositor.render_strips()
    finally:
        await _shutdown(program)
