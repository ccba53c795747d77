"""Who looks at a run, and the size that its terminal has for them."""

from __future__ import annotations

import termios

from overmind_core.keeper.typists import Typists
from overmind_core.logs.layout import OUT
from overmind_core.system import tty
from overmind_core.wire.keeper import data_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.keeper.child import Child
    from overmind_core.keeper.loop import Loop
    from overmind_core.keeper.viewer import Viewer

NUDGE = 0.05
"""Seconds that a program has to notice another size before it gets the true one again."""


class Audience:
    """The viewers of one run, and which of them types."""

    __slots__ = ("_child", "_loop", "typists", "viewers")

    def __init__(self, child: Child, loop: Loop) -> None:
        self._child = child
        self._loop = loop
        self.viewers: list[Viewer] = []
        self.typists = Typists(self.resize)

    def join(self, viewer: Viewer) -> None:
        """Show the run live from here on."""
        child = self._child
        viewer.begin(child.log.offsets[OUT])
        kept = child.log.kept(OUT)
        if kept:
            viewer.show(data_frame(kept))
        if child.exit is not None:
            viewer.finish(child.exit.code)
            return
        self.viewers.append(viewer)
        self._prefer_output()
        if viewer.may_write:
            self.typists.join(viewer)

    def leave(self, viewer: Viewer) -> None:
        """A viewer is gone."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            self._prefer_output()
            self.typists.leave(viewer)

    def _prefer_output(self) -> None:
        for output in self._child.outputs:
            self._loop.prefer(output.fd, on=bool(self.viewers))

    def show(self, data: memoryview) -> None:
        """The run has written this."""
        if self.viewers:
            frame = data_frame(bytes(data))
            for viewer in tuple(self.viewers):
                viewer.show(frame)
            self._loop.calm_down()

    def finish(self, code: int) -> None:
        """The run has ended."""
        for viewer in tuple(self.viewers):
            viewer.finish(code)

    def resume(self) -> None:
        """The run has read what was typed."""
        for viewer in self.viewers:
            viewer.resume()

    def hurry(self) -> None:
        """A person has pressed a key here."""
        self._loop.hurry()

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, and tell the log and every viewer. Without a terminal nothing happens."""
        child = self._child
        if not child.tty or not child.outputs:
            return
        try:
            tty.resize(child.outputs[0].fd, columns=columns, rows=rows)
        except (OSError, termios.error):
            return
        try:
            child.log.resized(columns, rows, self._loop.wall)
        except OSError as error:
            child.suffer(error)
        for viewer in tuple(self.viewers):
            viewer.resized(columns, rows)

    def nudge(self) -> None:
        """Have a full-screen program draw everything again, as it does at a new size: a row less, and back."""
        child = self._child
        if not child.tty or not child.outputs:
            return
        columns, rows = tty.size(child.outputs[0].fd)
        if rows > 1:
            self.resize(columns, rows - 1)
            self._loop.later(NUDGE, lambda: self._nudged(columns, rows))

    def _nudged(self, columns: int, rows: int) -> None:
        """Give the true size back, unless there is another one by now."""
        if self._child.outputs and tty.size(self._child.outputs[0].fd) == (columns, rows - 1):
            self.resize(columns, rows)
