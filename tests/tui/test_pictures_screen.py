"""Pictures of the main screen as its widgets draw it; their cells are those of `snapshots/screen-pictures.txt`."""

from __future__ import annotations

from copy import deepcopy

import pytest

from overmind_core.client import terminal_stream as stream
from overmind_core.errors import OvermindError
from overmind_core.terminal.screen import Screen
from overmind_core.view.panel_title import FACES
from overmind_core.view.summary import EngineLoad, Load
from overmind_tui.missions import faces
from overmind_tui.missions.stats_panel import OF_INFO
from overmind_tui.shell import coaching, world
from overmind_tui.shell.messages import Done, LogShown
from overmind_tui.shell.world import World
from tests.kit import screen_edges, screen_events, screen_frame, screen_list, screen_panel
from tests.kit.screen_frame import CURSORS, LISTED, NAMES, OPENED
from tests.kit.screen_pictures import SIZES, pictures
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import Still, settle

UNKNOWN = {" · rule: ask Bash(git push *)": ""}
"""Words of the pictures for which the program has no fact."""
MADE_UP = {"stats"}
"""Pictures of which some facts are none of the program: for what its settings ask."""
SHOWN = {f"{columns}x{rows}": (columns, rows) for columns, rows in SIZES}
KEYS = {
    "answer": ("y",), "choice": ("y",), "needs": ("exclamation_mark",), "help": ("question_mark",), "typing": ("a",),
    "new": ("n", *("space" if one == " " else one for one in screen_edges.TASK)),
    **{face: ("tab",) * turns for turns, face in enumerate(FACES)},
}  # fmt: skip
"""Keys that lead to a picture, once its cursor and its panel are as they should be."""
QUESTIONS = {
    "api": {**screen_panel.API_QUESTION, "rules": ["Bash(git push *)"]},
    "cart-vat": screen_panel.CHOICE_QUESTION, "demo-agent": screen_panel.DEMO_QUESTION,
}  # fmt: skip
ROWS = {
    "api": {key: screen_panel.API[key] for key in ("cwd", "isolation")},
    "demo-agent": {"cwd": f"{screen_panel.HOME}/shop"},
    "search-index": {
        key: value for key, value in screen_panel.SEARCH.items() if key not in {*screen_panel.CLOCKS, *OF_INFO}
    }
    | {"id": "search-index", "interactive": True},
    "release": {"counts": {"ended": 4, "running": 3}},
}
"""Mission → the facts of its panel."""
CHANGED = {"api": screen_panel.API_CHANGED, "search-index": screen_panel.CHANGED}
AGENTS = {one.name: one.installed for one in screen_edges.AGENTS}


class Shop(Still):
    """The program in the shop of the pictures, at a time that stands."""

    def __init__(self, name, **how):
        super().__init__(**how)
        self._scene = name
        self.world = World(f"{screen_panel.HOME}/shop", 0o022, {"HOME": screen_panel.HOME, "TERM": "xterm-256color"})
        self.folder_shown = screen_edges.FOLDER
        self.zone = screen_list.ZONE
        self.main.faces._has_asked = True
        self.main.terminal_panel.session.connect = self._connect  # type: ignore[method-assign]

    def _start(self):
        name, fleet = self._scene, self.fleet
        if name == "first":
            fleet.apply([], (), everything=True)
            self.main.faces.agents = AGENTS
            self.main.faces._folder = screen_edges.CHECKOUT
            self.supervisor_host._ready.set()
            self.supervisor_host._ended.clear()
        else:
            self._fill(*LISTED.get(name, (screen_list.DAY, screen_list.QUESTIONS)))
        self.main.rearrange()
        self.main.table.select(CURSORS.get(name, "search-index"))
        if name != "demo":
            self.coaching.done = coaching.STEPS
        if name not in {"demo", "first"}:
            self.notice.put(screen_edges.UNIT_FAILED.text, "")
            self.notice._said_at = screen_edges.UNIT_FAILED.at
            self.notice.clear()
        self.main.changed_connection()

    def _fill(self, missions, questions):
        fleet = self.fleet
        fleet.apply([{**row, **ROWS.get(row["id"], {})} for row in missions], (), everything=True)
        fleet.questions = [{**row, **QUESTIONS[row["id"]]} for row in questions]
        fleet.health = screen_list.HEALTH
        fleet.events.extend({**event, "seq": seq} for seq, event in enumerate(screen_events.EVENTS))
        samples = screen_panel.STATS_SAMPLES if self._scene == "stats" else screen_panel.TITLE_SAMPLES
        for one in fleet.samples:
            fleet.samples[one].clear()
        fleet.samples.setdefault("search-index", next(iter(fleet.samples.values())).__class__(maxlen=240)).extend(
            samples
        )
        if self._scene == "demo":
            fleet.load = Load(2.0, 78e6)
        else:
            fleet.load, fleet.today = Load(34.0, 2.1e9), 12.4
            fleet.engine = EngineLoad.of(screen_edges.QUEUE, screen_edges.APART)

    def _show_log(self, look):
        lines = screen_frame.LOGS.get(self._scene, screen_panel.LOG)
        self.post_message(LogShown(look, lines, partial="", runs=(1, 1)))

    def _connect(self, *, read_only, size=None):
        del size
        session = self.main.terminal_panel.session
        session._asked = not read_only
        screen = Screen(80, 24) if read_only else Screen(*self.main.terminal_view.pane)
        drawn = "\r\n".join(f" {line}".rstrip() for line in screen_frame.SCREEN)
        screen.feed(drawn.encode() + b"\x1b[2A\r\x1b[3C")
        session._came(stream.Joined(screen, "search-index.1", not read_only, again=False))

    def answer(self, command, given):
        if command == "changes":
            return CHANGED.get(given["id"], OvermindError("unknown_command"))
        return {"definition": {"definition": screen_panel.SEARCH_TERMS}}.get(command, deepcopy(screen_panel.SEARCH))

    def background(self, work):
        if (then := work()) is not None:
            self.post_message(Done(then))

    def now(self):
        return screen_list.NOW


def drive(name):
    """What is done until the picture is there."""

    async def press(pilot):
        main = pilot.app.main
        await until(pilot, lambda: pilot.app.fleet.loaded, what="rows")
        await settle(pilot)
        if name in OPENED - {"answer", "choice", "needs"} and not main.panels.shape.panel_lines:
            await pilot.press("tab")
        for key in KEYS.get(name, ()):
            await pilot.press(key)
            await until(pilot, lambda: pilot.app.screen.is_mounted and not pilot.app.typed._held, what="its screen")
        await settle(pilot)
        pilot.app.main.tick()
        pilot.app.main.refresh_status()
        await settle(pilot)

    return press


@pytest.fixture(autouse=True)
def the_same_each_time(monkeypatch):
    monkeypatch.setattr(world, "installed_agents", lambda _environ: AGENTS)
    monkeypatch.setattr(faces, "Surroundings", lambda *_: screen_events.AROUND)


def wanted(name, size):
    """The lines of a picture without what the program can't know."""
    found = "\n".join(pictures()[name, size])
    for words, instead in UNKNOWN.items():
        found = found.replace(words, instead)
    return found.split("\n")


def text_of(app):
    return [line.rstrip() for line in picture(app).split("\n")]


@pytest.mark.parametrize("size", SHOWN)
@pytest.mark.parametrize("name", NAMES)
def test_dark(pictured, name, size):
    texts = []

    async def press(pilot):
        await drive(name)(pilot)
        texts.append(text_of(pilot.app))

    same = pictured(Shop(name), size, press, sizes=SHOWN, afresh=True)
    if name not in MADE_UP:
        assert texts == [wanted(name, SHOWN[size])]
    assert same


@pytest.mark.parametrize("size", SHOWN)
@pytest.mark.parametrize("name", ["day", "asks", "help"])
@pytest.mark.parametrize("look", ["light", "sixteen", "ascii", "no_color"])
def test_look(monkeypatch, pictured, look, name, size):
    if look == "no_color":
        monkeypatch.setenv("NO_COLOR", "1")
    program = Shop(name, theme=look if look in {"light", "sixteen"} else "dark")
    program.appearance.ascii_only = look == "ascii"
    assert pictured(program, size, drive(name), sizes=SHOWN, afresh=True)
