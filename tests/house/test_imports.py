"""The shape of the source: no circle of imports, no arrow to a higher floor, no file that holds too much or too little.

`make house` prints the figures; scripts/house computes them for both. Type-only imports count.
"""

from __future__ import annotations

import os
import subprocess
import sys

import grimp
import pytest

from scripts.house import figures
from tests.kit.overmind import REPOSITORY

CIRCLE_OF_THE_TUI = {
    f"overmind_tui.{name}"
    for name in [
        "app",
        "changes.page",
        "command_line.jobs",
        "command_line.line",
        "command_line.run",
        "inbox.actions",
        "inbox.messages",
        "inbox.page",
        "landing.page",
        "log.panel",
        "log.save",
        "log.search",
        "missions.actions",
        "missions.actions_end",
        "missions.actions_look",
        "missions.actions_start",
        "missions.describe_page",
        "missions.form",
        "missions.header",
        "missions.panels",
        "missions.screen",
        "missions.table",
        "pages.compose",
        "pages.dialog",
        "pages.page",
        "pages.table",
        "pages.table_rows",
        "pages.text",
        "schedules.page",
        "shell.appearance",
        "shell.clipboard",
        "shell.external",
        "shell.live_settings",
        "shell.notices",
        "shell.person",
        "shell.quit",
        "shell.updates",
        "terminal.encoding",
        "terminal.keys",
        "terminal.outer",
        "terminal.pane",
        "terminal.session",
        "widgets.terminal",
    ]
}
"""Who still stands in a circle around `OvermindApp`: nobody may join, and whoever leaves is taken off this list."""


@pytest.fixture(scope="module")
def imports():
    return figures.graph()


def circle_modules(imports: grimp.ImportGraph, package: str) -> set[str]:
    return {module for circle in figures.circles(imports) for module in circle if module.startswith(f"{package}.")}


def test_no_circle_of_imports_in_the_core(imports):
    assert circle_modules(imports, "overmind_core") == set()


def test_the_circle_of_the_full_screen_program_only_shrinks(imports):
    found = circle_modules(imports, "overmind_tui")
    assert found - CIRCLE_OF_THE_TUI == set(), "a new circle of imports"
    assert CIRCLE_OF_THE_TUI - found == set(), "no more in a circle: take it off the list"


def test_no_arrow_to_a_higher_floor(imports):
    assert figures.wrong_arrows(imports) == []


def test_every_package_of_the_core_has_its_floor():
    folder = os.path.join(REPOSITORY, "overmind_core")
    packages = {name for name in os.listdir(folder) if os.path.exists(os.path.join(folder, name, "__init__.py"))}
    assert packages - set().union(*figures.floors()) == {"demo", "supervisor"}


def test_sizes_of_files():
    measured = figures.sizes()
    assert measured.median >= 120
    assert measured.small < 0.15
    assert measured.largest <= 600, measured.largest_file


def drawn(*arrows: tuple[str, str]) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for module in sorted({f"overmind_core.{end}" for arrow in arrows for end in arrow}):
        graph.add_module(module)
    for importer, imported in arrows:
        graph.add_import(importer=f"overmind_core.{importer}", imported=f"overmind_core.{imported}")
    return graph


def test_circles_are_found():
    graph = drawn(("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("x", "y"), ("y", "x"))
    assert [[name.rpartition(".")[2] for name in circle] for circle in figures.circles(graph)] == [
        ["a", "b", "c"],
        ["x", "y"],
    ]


@pytest.mark.parametrize(
    ("importer", "imported", "wrong"),
    [
        ("kernel.journal", "missions.service", True),
        ("plans.service", "quests.service", True),
        ("plans.service", "missions.service", False),
        ("plans.service", "plans.store", False),
    ],
)
def test_an_arrow_to_a_higher_floor_or_a_sibling_is_found(importer, imported, wrong):
    assert bool(figures.wrong_arrows(drawn((importer, imported)))) is wrong


def test_uses_of_the_whole_program_are_counted():
    source = """
class Page:
    def __init__(self, app: OvermindApp, name: str) -> None:
        self._app = app
        self._name = name.upper()
        app.flash(name)
    def show(self) -> None:
        self._app.open(self._name.lower())
def look(other: Registry) -> None:
    other.load()
def read(core: App | None) -> None:
    core.book.live.clear()
"""
    assert figures.uses_of_whole(source) == 3


def test_make_house_prints_what_is_asserted_here():
    printed = subprocess.run(
        [sys.executable, "-m", "scripts.house"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert printed == figures.report()
    assert len(printed.splitlines()) == 6
