"""The shape of the source: no circle of imports, no arrow to a higher floor, no file that holds too much or too little.

`make house` prints the figures; scripts/house computes them for both. Type-only imports count.
"""

from __future__ import annotations

import subprocess
import sys

import grimp
import pytest

from scripts.house import figures
from tests.kit.overmind import REPOSITORY


@pytest.fixture(scope="module")
def imports():
    return figures.graph()


def test_no_circle_of_imports(imports):
    assert figures.circles(imports) == []


def test_no_arrow_to_a_higher_floor(imports):
    assert figures.wrong_arrows(imports) == []


def test_a_package_that_no_contract_names_stands_with_the_features(monkeypatch, tmp_path):
    for name in ("quests", "missions", "things", "demo"):
        (tmp_path / "overmind_core" / name).mkdir(parents=True)
        (tmp_path / "overmind_core" / name / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.importlinter.contracts]]\ntype = "layers"\nlayers = ["cli", "plans | quests", "missions"]\n'
    )
    monkeypatch.setattr(figures, "REPOSITORY", str(tmp_path))
    assert figures.floors() == [{"cli"}, {"plans", "quests", "things"}, {"missions"}]
    arrows = drawn(
        ("things.api", "missions.registry"), ("things.api", "quests.service"), ("missions.x", "things.api"),
        ("daemon.routes", "things.api"), ("cli.things", "things.api"), ("things.api", "things.store"),
    )  # fmt: skip
    assert [tuple(end.removeprefix("overmind_core.") for end in arrow) for arrow in figures.wrong_arrows(arrows)] == [
        ("cli.things", "things.api"),
        ("missions.x", "things.api"),
        ("things.api", "quests.service"),
    ]


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


def test_what_any_application_of_textual_has_is_no_use_of_the_whole_program():
    source = """
from textual.app import App
def leave(app: App[str], page: Page) -> None:
    app.exit(str(page.app.size))
    app.fleet.forget_killed()
    page.app.fleet.forget_killed()
    page.app._driver.flush()
"""
    assert figures.uses_of_whole(source) == 2


def test_make_house_prints_that_nothing_is_taken_out_of_the_whole_program_and_what_is_asserted_here():
    printed = subprocess.run(
        [sys.executable, "-m", "scripts.house"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sizes = figures.sizes()
    assert printed == [
        "circles of imports          0 (overmind_core 0, overmind_tui 0, overmind_web 0)",
        "uses of the whole program   0 in 0 files",
        "arrows to a higher floor    0",
        f"median file                 {sizes.median:g} lines",
        f"below 60 lines              {sizes.small:.1%} of the files",
        f"largest file                {sizes.largest} lines, {sizes.largest_file}",
    ]
