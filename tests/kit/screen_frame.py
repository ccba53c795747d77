"""The main screen of the pictures as lines of text: the parts of `view/` put together, with fixed facts and clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from overmind_core.view import (
    diff_face,
    first_run,
    happened,
    header_line,
    hints,
    list_columns,
    mission_list,
    panel_title,
    prompt,
    stats_face,
)
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, Row
from overmind_core.view.field import Field
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.groups import Listing
from overmind_core.view.header_line import whole
from overmind_core.view.hints import Part
from overmind_core.view.keys_help import help_page
from overmind_core.view.log_face import LogLook, tail
from overmind_core.view.mission_list import Slot
from overmind_core.view.panel_title import DIFF, LOG, STATS, TERMINAL, PanelTitle
from overmind_core.view.question_block import Asking, block, place
from overmind_core.view.row_words import Facts
from overmind_core.view.screen_shape import Alone, Shape, Wish, shape
from overmind_core.view.stats_face import MissionFacts, StatsLook
from overmind_core.view.subject import Choosing
from tests.kit import screen_edges, screen_events, screen_list, screen_panel
from tests.kit.screen_pictures import texts

Lines = list[Sequence[Cell]]
NAMES = ("first", "demo", "day", "calm", "asks", "answer", "choice", "log", "diff", "terminal", "stats", "typing",
         "needs", "help", "new")  # fmt: skip
"""The pictures in the order of their file."""
PARTS = {"answer": Part.QUESTION, "choice": Part.QUESTION, "needs": Part.QUESTION, "first": Part.FIRST,
         "help": Part.HELP, "new": Part.NEW}  # fmt: skip
"""The part that has the keys; the list in all others."""
OPENED = frozenset({"demo", "asks", "answer", "choice", "log", "diff", "terminal", "stats", "needs"})
"""Pictures in which a person has opened the panel."""
CURSORS = {"demo": "demo-agent", "asks": "api", "answer": "api", "needs": "api", "choice": "cart-vat"}
LISTED: Mapping[str, tuple[Sequence[Row], Sequence[Row]]] = {
    "demo": (screen_list.DEMO, screen_list.DEMO_QUESTIONS),
    "calm": (screen_list.CALM, ()),
}
FACES = {"diff": DIFF, "terminal": TERMINAL, "stats": STATS, "needs": ""}
LOGS = {"demo": screen_panel.DEMO_LOG, "asks": screen_panel.ASKS_LOG, "answer": screen_panel.ASKS_LOG,
        "needs": screen_panel.ASKS_LOG, "choice": screen_panel.CHOICE_LOG}  # fmt: skip
NOTES = {LOG: panel_title.FOLLOWS, DIFF: diff_face.total(screen_panel.CHANGES), TERMINAL: "80x24"}
_PUSH = Asking(
    screen_panel.API_QUESTION, screen_panel.NOW, f"{screen_panel.HOME}/shop-api",
    place(screen_panel.API, screen_panel.API_CHANGES, screen_panel.HOME), rule="ask Bash(git push *)",
)  # fmt: skip
ASKED = {
    "asks": _PUSH, "answer": _PUSH, "needs": _PUSH,
    "choice": Asking(screen_panel.CHOICE_QUESTION, screen_panel.NOW,
                     choosing=Choosing.of(screen_panel.CHOICE_QUESTION["subject"])),
    "demo": Asking(screen_panel.DEMO_QUESTION, screen_panel.NOW, f"{screen_panel.HOME}/shop", "in ~/shop"),
}  # fmt: skip
SCREEN = (
    "❯ Make the search find names with umlauts: fold them in the index and in the",
    "  question, and prove it with tests.", "",
    "● Read(search/index.py)",
    "  ⎿  Read 184 lines", "",
    "● Both sides use fold() now. One test is left: the order of results.", "",
    "● Update(search/index.py)",
    "  ⎿  Updated search/index.py with 4 additions and 2 removals",
    "       41      def add(self, name: str, product: int) -> None:",
    "       42 -        key = name.lower()",
    "       42 +        key = fold(name)",
    "       44 +        self._order[product] = name", "",
    "● Bash(pytest -q)",
    "  ⎿  Running… (4s)", "",
    "✻ Folding… (4s · ↑ 1.2k tokens · esc to interrupt)", "",
    "─" * 78, "❯ ▏", "─" * 78,
    "  ? for shortcuts",
)  # fmt: skip
"""What the agent of the pictures draws on its terminal."""


def frame(name: str, columns: int, rows: int) -> list[str]:
    """A picture's lines, blanks at their ends left out."""
    return texts(cells_of(name, columns, rows))


def cells_of(name: str, columns: int, rows: int) -> Lines:
    """A picture's lines with their tones."""
    if name == "typing":
        found = shape(columns, rows, Wish(alone=Alone.TYPING))
        return [panel_title.typing_line("search-index", 3, columns), *_terminal(found.panel_lines - 1)]
    missions, questions = LISTED.get(name, (screen_list.DAY, screen_list.QUESTIONS))
    kept = ordered(missions, None, screen_list.NOW)
    listing = grouped(kept, questions, screen_list.NOW, sizes=screen_list.SIZES_OF_PLANS)
    listing = listing.only_needs if name == "needs" else listing
    listed = sum(one.key != mission_list.FOLD for one in _slots(listing, rows) if one.key)
    wish = Wish(listed, is_open=True if name in OPENED else None, needs_only=name == "needs")
    alone = name in {"first", "help"}
    found = shape(columns, rows, wish._replace(alone=Alone.LIST) if alone else wish)
    body = _alone(name, columns, found.body) if alone else _body(name, listing, found, rows)
    head: Lines = [header_line.header_line(screen_edges.header_facts(name), columns)]
    return [*_filled(head, found.header), *body, *_line(name, columns),
            hints.hint_line(PARTS.get(name, Part.LIST), columns)]  # fmt: skip


def _slots(listing: Listing, rows: int) -> list[Slot]:
    return mission_list.slots(listing, roomy=rows >= 30)


def _alone(name: str, columns: int, lines: int) -> Lines:
    if name == "help":
        return _filled(help_page(Context.MISSIONS, columns, lines).lines, lines)
    return _filled(first_run.first_run(columns, lines, screen_edges.AGENTS, screen_edges.CHECKOUT), lines)


def _body(name: str, listing: Listing, found: Shape, rows: int) -> Lines:
    left = _filled(_list(name, listing, found, rows), found.list_lines)
    right = _filled(_panel(name, found), found.panel_lines)
    if not found.is_beside:
        return [*left, *right]
    events = happened.lines(screen_events.EVENTS, found.list_cells, found.happened - 1, screen_events.AROUND)
    left += _filled([happened.title(found.list_cells), *(one.cells for one in events)], found.happened)
    return [[*whole(one, found.list_cells), Cell("│", "rule"), *other] for one, other in zip(left, right, strict=True)]


def _list(name: str, listing: Listing, found: Shape, rows: int) -> Lines:
    cursor, cells = CURSORS.get(name, "search-index"), found.list_cells
    lines = _slots(listing, rows)
    look = mission_list.Look(
        list_columns.laid_out(cells),
        Facts(screen_list.NOW, screen_list.ZONE, screen_list.HEALTH),
        cursor,
        name not in PARTS,
    )
    top = mission_list.first_seen(len(lines), mission_list.place_of(lines, cursor) or 0, found.list_lines)
    shown = mission_list.seen(lines, found.list_lines, top)
    drawn: Lines = [line.cells for line in mission_list.drawn(shown, look)]
    return drawn


def _panel(name: str, found: Shape) -> Lines:
    if not found.panel_lines:
        return []
    cells, face = found.panel_cells, FACES.get(name, LOG)
    cursor = CURSORS.get(name, "search-index")
    load = panel_title.load_of(screen_panel.SEARCH, screen_panel.TITLE_SAMPLES) if cursor == "search-index" else None
    has_keys = PARTS.get(name) is Part.QUESTION
    note = NOTES.get(face, "")
    if face == TERMINAL and found.panel_lines - 1 < len(SCREEN):
        note += ", its end"
    title = PanelTitle(cursor, face, note, has_keys=has_keys, load=load)
    shown: Lines = [panel_title.line(title, cells, beside=found.is_beside)]
    if name in ASKED:
        shown += block(ASKED[name], cells, found.panel_lines, has_keys=has_keys).lines
    return [*shown, *_face(name, face, cells, found.panel_lines - len(shown))]


def _face(name: str, face: str, cells: int, lines: int) -> Lines:
    if face == DIFF:
        return list(diff_face.lines(screen_panel.CHANGES, cells - 1, lines))
    if face == TERMINAL:
        return _terminal(lines)
    if face == STATS:
        known = screen_panel.SEARCH, screen_panel.SEARCH_TERMS, screen_panel.CHANGES
        facts = MissionFacts(*known, asks=("push", "network"))
        stats_look = StatsLook(cells, screen_panel.NOW, screen_panel.ZONE, screen_panel.HOME)
        found: Lines = [*stats_face.lines(facts, screen_panel.STATS_SAMPLES, stats_look)]
        return found[:lines]
    look = LogLook(cells, screen_panel.ZONE, is_agent=True, asked=1 if name in ASKED else 0)
    return list(tail(LOGS.get(name, screen_panel.LOG), lines, look))


def _terminal(lines: int) -> Lines:
    """The end of what the agent draws, as the emulator crops it."""
    first = panel_title.first_row(len(SCREEN), 21, lines)
    return _filled([[Cell(f" {one}")] for one in SCREEN[first : first + lines]], lines)


def _line(name: str, columns: int) -> Lines:
    if name == "new":
        agent = prompt.agent_for("", {one.name: one.installed for one in screen_edges.AGENTS})
        facts = prompt.new_mission(Field.of(screen_edges.TASK), agent, screen_edges.FOLDER, columns)
        return list(prompt.typing(facts, columns))
    return list(prompt.resting(screen_edges.rest_facts(name), columns, screen_edges.NOW))


def _filled(lines: Sequence[Sequence[Cell]], count: int) -> Lines:
    return [*lines, *[[]] * (count - len(lines))][:count]
