"""The list of missions: groups with headings, rows, and the line of those that ended; only lines in sight are drawn.

The cursor holds a key, not a line: the id of a mission, or that of the line of those that ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from overmind_core.domain.missions.status_marks import StatusMark
from overmind_core.view import first_run, list_columns, mission_list
from overmind_core.view.cells import Cell, folded
from overmind_core.view.groups import Entry, Listing
from overmind_core.view.keys_help import MARKED, UNFOLDED
from overmind_core.view.list_columns import SAMPLE, Layout
from overmind_core.view.mission_list import FOLD, ListLine, Look, Slot
from overmind_core.view.row_words import Facts
from overmind_tui.widgets.canvas import ListCanvas

RESTLESS_SECONDS = 0.5
"""Seconds after the cursor's row moved in which actions that end work are refused."""


class MissionsList(ListCanvas):
    """Who needs a person, who runs and who has ended, with a cursor.

    Args:
        facts: Answers what rows are written from, as it is now.
        ascii_only: Marks are drawn with ASCII.

    Attributes:
        branches: The rows that are shown, from the top.
        marked: Ids of marked rows.
        wide: Further columns are shown.
        sorted_by: The column that rows are sorted by, and whether the least comes first; "" is none.
        chosen: The column that the person chose.
        empty: Lines instead of everything, while nothing is known of any mission.
    """

    class Selected(Message):
        """The cursor stands elsewhere: on a row, or on no mission."""

        def __init__(self, row: str | None) -> None:
            super().__init__()
            self.row = row

    class Stayed(Message):
        """A key would have moved the cursor away from a row, and there is no other."""

        def __init__(self, row: str | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """A row was clicked twice."""

    class FoldClicked(Message):
        """The line of those that ended was clicked."""

    class Headed(Message):
        """The heading of a column was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self, facts: Callable[[], Facts], *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._facts = facts
        self._ascii = ascii_only
        self.branches: list[Entry] = []
        self.marked: set[str] = set()
        self.wide = False
        self.sorted_by = ("", True)
        self.chosen = ""
        self.empty: Sequence[Sequence[Cell]] = ()
        self._listing = Listing()
        self._wanted = ""
        self._slots: list[Slot] = []
        self._keys: list[str] = []
        self._at = 0
        """The place of the cursor among the keys."""
        self._key: str | None = None
        self._kept: str | None = None
        """Where the cursor stood when a filter began, or before no line was left."""
        self._roomy = False
        self._layout: Layout | None = None
        self._needs: tuple[bool, Mapping[str, int]] | None = None
        """Cells that columns need in the wide list, or the other; None where rows or times may be others by now."""
        self._moved_at = float("-inf")
        self._on_screen: list[ListLine] = []

    # the cursor

    @property
    def current(self) -> Entry | None:
        """The row under the cursor."""
        return next((entry for entry in self.branches if entry.id == self._key), None)

    @property
    def cursor_id(self) -> str | None:
        """The id of that row."""
        return None if self.on_fold else self._key

    @property
    def on_fold(self) -> bool:
        """Whether the cursor stands on the line of those that ended."""
        return self._key == FOLD

    @property
    def at(self) -> int:
        """The place of the cursor's row among those that are shown; of the line of those that ended what follows it."""
        return sum(key != FOLD for key in self._keys[: self._at])

    @property
    def restless(self) -> bool:
        """Whether the cursor's row left or moved a moment ago, without a key of the person."""
        return time.monotonic() - self._moved_at < RESTLESS_SECONDS

    def select(self, row: str) -> bool:
        """Put the cursor on the row with this id; False where it isn't shown."""
        if row not in self._keys:
            return False
        self._move_to(self._keys.index(row))
        return True

    def press(self, action: str) -> bool:
        """Move the cursor; False when the action is none of that."""
        page = max(self._height - 2, 1)
        steps = {"down": 1, "up": -1, "page-down": page, "page-up": -page}
        if action in steps:
            self._move_to(self._at + steps[action])
        elif action == "first":
            self._move_to(0)
        elif action == "last":
            self._move_to(len(self._keys) - 1)
        else:
            return False
        if len(self._keys) == 1:
            self.post_message(self.Stayed(self.cursor_id))
        return True

    def keep_place(self) -> None:
        """A filter begins: where it leaves no row, the cursor goes back to where it stands now."""
        self._kept = self._key

    def _move_to(self, at: int) -> None:
        self._kept = None
        self._at = max(0, min(at, len(self._keys) - 1))
        self._moved_at = float("-inf")
        if not self._settle():
            self._redraw()

    # what is shown

    @property
    def listed(self) -> int:
        """Rows that are shown."""
        return len(self.branches)

    def show(self, listing: Listing, *, wanted: str = "", asked: bool = False) -> None:
        """Show this list.

        Args:
            listing: Who stands where.
            wanted: What it was narrowed to, in words.
            asked: The person changed the arrangement, so that a move surprises nobody.
        """
        top = self.scroll_offset.y  # at its beginning it stays there: who comes above the cursor is in sight
        line = self._place(self._key) - top if top > 0 and self._key in self._keys else None
        self._listing, self._wanted = listing, wanted
        self.branches = list(listing.entries)
        self._rebuild(asked=asked, line=line)

    def _rebuild(self, *, asked: bool = True, line: int | None = None) -> None:
        before = (self._at, self._place(self._key))
        self._slots = mission_list.slots(
            self._listing, roomy=self._roomy, marked=frozenset(self.marked), wanted=self._wanted
        )
        had, self._keys = self._keys, mission_list.keys_of(self._slots)
        wanted = self._sought(had)
        if wanted in self._keys:
            self._at = self._keys.index(wanted)
        else:
            self._at = max(0, min(self._at, len(self._keys) - 1))
        stays = self._key in self._keys and (self._at, self._place(self._key)) == before
        if not asked and self._key is not None and not stays:
            self._moved_at = time.monotonic()
        self._needs = None
        self.hold_rows(len(self._slots))
        if not self._settle(line=line):
            self._redraw()

    def _sought(self, had: Sequence[str]) -> str | None:
        """The key for the cursor: the one that it is on, behind a list without lines the one before that."""
        if had:
            if not self._keys:
                self._kept = self._kept or self._key
            return self._key
        if self._kept not in self._keys:
            return self._key
        wanted, self._kept = self._kept, None
        return wanted

    def _place(self, key: str | None) -> int:
        """The line of a key among all lines; 0 where it has none."""
        return mission_list.place_of(self._slots, key) or 0

    def _settle(self, *, line: int | None = None) -> bool:
        """Tell who listens where the cursor is, and have its row in sight; True if that scrolled, and so drew, it."""
        found = self._keys[self._at] if self._keys else None
        if found != self._key:
            self._key = found
            self.post_message(self.Selected(self.cursor_id))
        top = int(self.scroll_offset.y)
        if self._height > 0:
            wanted = mission_list.first_seen(
                len(self._slots), self._place(found), self._height, top=top, line=line if line and line > 0 else None
            )
            if wanted != top:
                self.to_row(wanted)
        return int(self.scroll_offset.y) != top

    def mark(self, rows: set[str]) -> None:
        """Mark these rows, and no others."""
        self.marked = rows
        self._rebuild()

    def choose(self, step: int) -> str:
        """Choose the column so many to the right of the chosen one, or of the one that rows are sorted by; its key."""
        shown = self._laid_out().keys
        begun = next((key for key in (self.chosen, self.sorted_by[0]) if key in shown), shown[0])
        self.chosen = shown[(shown.index(begun) + step) % len(shown)]
        self._redraw()
        return self.chosen

    def space(self, *, roomy: bool) -> None:
        """Have blank lines between groups, or none."""
        if roomy is not self._roomy:
            self._roomy = roomy
            self._rebuild()

    def forget_columns(self) -> None:
        """Choose the columns anew with the next rows: those that were shown need not stay."""
        self._layout = None

    def tick(self) -> None:
        """Draw what goes on by itself, such as times."""
        self._needs = None
        self._redraw()

    def draw_marks(self, *, ascii_only: bool) -> None:
        """With these signs from now on."""
        self._ascii = ascii_only
        self.refresh()

    def shown_text(self) -> str:
        """All rows that are shown, as they are drawn."""
        lines = mission_list.drawn(self._slots, self._look())
        return "\n".join("".join(cell.text for cell in line.cells).rstrip() for line in lines) + "\n"

    @property
    def signs(self) -> list[StatusMark]:
        """The marks that it draws beside those of missions."""
        is_open = self._listing.has_fold and self._listing.unfolded
        return [*[UNFOLDED] * is_open, *[MARKED] * (not self.marked.isdisjoint(self._keys))]

    # the mouse

    def on_click(self, event: events.Click) -> None:
        """A click chooses, two open; one on a heading is about its group or its column, one on the fold turns that."""
        place = event.get_content_offset(self)
        line = None if place is None else self._line_at(place.y)
        if place is None or line is None:
            return
        group = line.group_at(place.x)
        if place.y == 0 and group is None:
            if column := self._laid_out().at(place.x):
                self.post_message(self.Headed(column))
            return
        key = line.key if group is None else mission_list.first_of(self._slots, group)
        if key is None:
            return
        self._move_to(self._keys.index(key))
        if key == FOLD:
            self.post_message(self.FoldClicked())
        elif event.chain > 1 and group is None:
            self.post_message(self.Opened())

    def keep_in_sight(self) -> None:
        """Put the cursor on the nearest row in sight."""
        top = int(self.scroll_offset.y)
        seen = mission_list.keys_of(self._slots[top + 1 if top else 0 : top + self._height])
        if seen:
            first = self._keys.index(seen[0])
            self._move_to(max(first, min(self._at, first + len(seen) - 1)))

    def _line_at(self, y: int) -> ListLine | None:
        """The line that is drawn there; None where none is."""
        return self._on_screen[y] if 0 <= y < len(self._on_screen) else None

    # drawing

    @property
    def _height(self) -> int:
        return int(self.scrollable_content_region.height)

    def on_focus(self) -> None:
        """The keys are here."""
        self._redraw()

    def on_blur(self) -> None:
        """The keys are elsewhere."""
        self._redraw()

    def on_resize(self) -> None:
        """Another width, other columns; where it is too low for the cursor's row now, that comes into the middle."""
        self._layout = None
        self.hold_rows(len(self._slots))
        at, top = self._place(self._key), int(self.scroll_offset.y)
        if not top < at < top + self._height and self._height > 0:
            self.to_row(mission_list.first_seen(len(self._slots), at, self._height))
        self._settle()
        self._on_screen = []
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The first heading stays where it is, so everything is drawn."""
        super().watch_scroll_y(old_value, new_value)
        self._redraw()

    def _laid_out(self) -> Layout:
        cells = self.scrollable_content_region.width
        if self._needs is None or self._needs[0] is not self.wide:
            found = list_columns.needed(islice(self.branches, SAMPLE), self._facts(), wide=self.wide)
            self._needs = self.wide, found
        self._layout = list_columns.laid_out(cells, self._needs[1], self._layout, wide=self.wide)
        return self._layout

    def _look(self) -> Look:
        return Look(
            self._laid_out(), self._facts(), self._key, self.has_focus and self.app.screen_stack[-1:] == [self.screen],
            frozenset(self.marked), self.sorted_by, self.chosen, self._ascii,
        )  # fmt: skip

    def _drawn(self) -> list[ListLine]:
        """The lines in sight."""
        cells = self.scrollable_content_region.width
        if self.empty:
            return [ListLine(list(line)) for line in folded(self.empty, max(cells, 1), first_run.indent(cells))]
        return mission_list.drawn(mission_list.seen(self._slots, self._height, int(self.scroll_offset.y)), self._look())

    def _redraw(self) -> None:
        """Draw again what is no longer as it is on the screen, and only that."""
        width, height = self.scrollable_content_region.size
        if not self.is_mounted or height < 1:
            return
        before, now = self._on_screen, self._drawn()
        self._on_screen = now
        changed = [y for y in range(height) if _line(before, y) != _line(now, y)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        """All lines of a region, of one look."""
        if not self._on_screen:
            self._on_screen = self._drawn()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One of them."""
        line = _line(self._on_screen, y)
        ground = self.tone(line.ground) if line.ground else None
        runs = [(cell.text, self.tone(cell.tone)) for cell in line.cells]
        return self.strip(runs, self.scrollable_content_region.width, ground=ground)

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        self._on_screen = []


_BLANK = ListLine([])


def _line(lines: Sequence[ListLine], y: int) -> ListLine:
    return lines[y] if y < len(lines) else _BLANK
