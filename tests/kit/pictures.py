"""Pictures of one program in several sizes: it runs once, and its terminal is made larger and smaller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from textual import _doc
from textual.app import App
from textual.pilot import Pilot

Size = tuple[int, int]
Press = Callable[[Pilot[Any]], Awaitable[None]]
SIZES: Mapping[str, Size] = {"80x24": (80, 24), "120x40": (120, 40)}
"""In which every view is photographed."""


class Album:
    """What was photographed, by the name of the test; the test of each size takes its own picture out.

    The tests of one program stand side by side, so that nearly always the same worker has them all.
    """

    def __init__(self) -> None:
        self._pictures: dict[str, str] = {}

    def take(self, name: str, size: str, app: App[Any], press: Press, sizes: Mapping[str, Size]) -> str:
        """The picture of a program in one of its sizes.

        Args:
            name: The test's, in which the name of the size stands.
            size: One of `sizes`.
            app: The program; left as it is when an earlier test photographed its like.
            press: What is done to it before.
            sizes: All that there are pictures of.
        """
        if name not in self._pictures:
            taken = asyncio.run(_taken(app, press, sizes))
            self._pictures |= {name.replace(size, other): picture for other, picture in taken.items()}
        return self._pictures.pop(name)


async def _taken(app: App[Any], press: Press, sizes: Mapping[str, Size]) -> dict[str, str]:
    taken: dict[str, str] = {}
    async with app.run_test(size=next(iter(sizes.values()))) as pilot:
        await press(pilot)
        for name, size in sizes.items():
            if taken:
                await pilot.resize_terminal(*size)
            await pilot.pause()
            await pilot.wait_for_scheduled_animations()
            taken[name] = app.export_screenshot(title=app.title, simplify=True)
    return taken


def compared(compare: Callable[..., bool], app: App[Any], picture: str) -> bool:
    """Whether the picture is the one that was accepted; `compare` is `snap_compare`, which would take its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_doc, "take_svg_screenshot", lambda **_how: picture)
        return compare(app)
