"""Which part of a log is wanted, and how it is to be shown."""

from __future__ import annotations

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.rendered import Rendered, begins_inside_a_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.logs.display import Note
    from overmind_core.logs.order import Offsets
    from overmind_core.logs.reader import RunLog
    from overmind_core.logs.rendered import Renderers

BOTH = (OUT, ERR)


class Selection:
    """Which part of a log is wanted.

    Args:
        run: its number; None = all runs.
        streams: of `layout.OUT` and `ERR`; annotations are shown with both only.
        since: seconds since the epoch.
        until: likewise.
        tail: number of lines, None = all.
        at_least: of `tail`, all that has to be read for it is wanted.
        colour: keep colours.
        renderers: who makes an agent's lines readable; without, they are shown as they are.
    """

    def __init__(
        self,
        *,
        run: int | None = None,
        streams: tuple[int, ...] = BOTH,
        since: float | None = None,
        until: float | None = None,
        tail: int | None = None,
        at_least: bool = False,
        colour: bool = False,
        renderers: Renderers | None = None,
    ) -> None:
        self.run = run
        self.streams = streams
        self.since = since
        self.until = until
        self.tail = tail
        self.at_least = at_least
        self.colour = colour
        self.renderers = renderers

    def wants_note(self, note: Note) -> bool:
        """Whether an annotation is part of it."""
        at = note[0]
        inside = (self.since is None or at >= self.since) and (self.until is None or at <= self.until)
        return inside and self.streams == BOTH

    def rendered(self, log: RunLog, whose: str | None, start: Offsets) -> Rendered | None:
        """What makes the output of a run readable from `start` on; None: it is plain. `whose`: the run's format."""
        renderer = self.renderers(whose) if self.renderers is not None and whose else None
        if renderer is None:
            return None
        return Rendered(renderer, colour=self.colour, cut=begins_inside_a_line(log, OUT, start[OUT]))
