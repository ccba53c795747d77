"""The document of a phase beside the phases of its spec, where a terminal is wide: to be read, not commented on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from overmind_core.spec_files import document_texts
from overmind_core.spec_files.document_texts import DocumentText
from overmind_core.view import specs as specs_rows
from overmind_core.view.cells import Row
from overmind_tui.widgets.lines import TextView

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

WIDE = 160
"""Columns of the terminal from which on there is room for it."""
WIDEST_LIST = 100
"""Columns of the list beside it, at most."""
_LOADING = DocumentText((), "loading …")


def list_cells(columns: int) -> int:
    """Return how wide the list is in a terminal of so many columns; 0: there is no room for anything beside it."""
    return min((columns - 1) // 2, WIDEST_LIST) if columns >= WIDE else 0


class DocumentSide(TextView):
    """Shows the document of what the cursor of a list is on.

    Args:
        shell: Reads it in a thread.
    """

    can_focus = False

    def __init__(self, shell: Shell) -> None:
        super().__init__(id="text")
        self._shell = shell
        self._spec: Row | None = None
        self._of = ("", "")
        """The folder, and the phase."""
        self._part = ""
        self._read = _LOADING
        self._stamp: document_texts.Stamp | None = None
        """Of the file in which that was read."""

    def look(self, spec: Row, phase: str, task: str = "") -> None:
        """Show the document of a phase, as it is now, from its beginning; of a task from what it says of that."""
        of = (spec["folder"], phase)
        moved = (of, task) != (self._of, self._part)
        if of != self._of:
            self._read, self._stamp = _LOADING, None
        self._spec, self._of, self._part = spec, of, task
        self._draw(moved=moved)
        self._shell.background(lambda: self._look(of))

    def _look(self, of: tuple[str, str]) -> Callable[[], None]:
        before, known = self._read, self._stamp
        stamp = document_texts.stamp(*of)
        read = document_texts.read(*of) if before is _LOADING or stamp != known else before

        def show() -> None:
            if self.is_attached and of == self._of and (stamp, read) != (self._stamp, self._read):
                begins = self._read is _LOADING
                self._stamp, self._read = stamp, read
                self._draw(moved=begins)

        return show

    def _draw(self, *, moved: bool) -> None:
        cells = self.scrollable_content_region.width
        if self._spec is None or cells < 1:
            return
        _, phase = self._of
        stands = next((one for one in self._spec["phases"] if one["phase"] == phase), None)
        name = document_texts.name_of(phase)
        drawn, places = specs_rows.document_lines(
            self._read.lines, self._read.why_not, stands, name=name, pending=(), cells=cells
        )
        self.show(drawn)
        if moved:
            line = specs_rows.heading_line(self._read.lines, self._part) if self._part else None
            self.to_row(min(places.index(line), self._end) if line in places else 0)
        state = "" if stands is None else f" · {specs_rows.phase_words(stands).partition(' ')[2]}"
        self.set_title(f"{specs_rows.shown(self._spec)} · {name}{state}", "enter opens it")

    def on_resize(self) -> None:
        """Long lines go on elsewhere."""
        self._draw(moved=False)
