"""One run of measurements: what each yields, and what becomes of one that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import product, sizes
from bench.figures import Figure, Skipped
from bench.runs import NOTHING, list_gaps, list_seconds, run_measurement

FIGURE = Figure("starts", "20/s", "", "", "", met=False)
SKIPPED = Skipped("pages", "no browser")
FOLDER = Path(bench.__file__).parent


def failing():
    yield FIGURE
    raise RuntimeError("not every mission runs\nof ten")


@pytest.mark.parametrize(
    ("measure", "figures", "skipped", "failure"),
    [
        (lambda: [FIGURE], [FIGURE], [], ""),
        (lambda: [FIGURE, SKIPPED], [FIGURE], [SKIPPED], ""),
        (lambda: [SKIPPED], [], [SKIPPED], ""),
        (list, [], [], NOTHING),
        (failing, [FIGURE], [], "RuntimeError: not every mission runs"),
    ],
)
def test_a_measurement_has_figures_or_says_why_it_is_skipped_or_fails(measure, figures, skipped, failure):
    shown: list[str] = []
    outcome = run_measurement("starts", measure, shown.append)
    assert (outcome.figures, outcome.skipped, outcome.failure) == (figures, skipped, failure)
    assert len(shown) >= len(figures) + len(skipped)


def test_what_is_missing_is_listed_by_name():
    outcomes = [
        run_measurement(name, measure, print) for name, measure in {"a": failing, "b": lambda: [SKIPPED]}.items()
    ]
    assert list_gaps(outcomes) == ["skipped: pages: no browser", "failed: a: RuntimeError: not every mission runs"]
    assert "a 0 s, b 0 s" in list_seconds(outcomes)


@pytest.mark.parametrize(
    ("smoke", "names", "rows", "status", "written"),
    [
        ([], [], [FIGURE], 0, True),
        ([], [], [SKIPPED], 0, True),
        ([], [], [], 1, True),
        ([], ["ps"], [FIGURE], 0, False),
        (["--rows"], ["ps"], [FIGURE], 0, True),
        (["--rows", "--smoke"], ["ps"], [FIGURE], 0, False),
        (["--smoke"], [], [FIGURE], 0, False),
        (["--smoke"], ["ps", "web"], [FIGURE], 0, False),
        (["--smoke"], ["ps"], [], 1, False),
    ],
)
def test_a_run_writes_the_table_of_all_and_fails_with_any(smoke, names, rows, status, written, monkeypatch, capsys):
    tables: list[str] = []
    ran: list[str] = []
    monkeypatch.setenv(sizes.SMOKE, "")
    monkeypatch.setattr("bench.tmux.is_there", lambda: True)
    monkeypatch.setattr("bench.table.machine", lambda: "2 cores")
    monkeypatch.setattr("bench.table.rewrite", tables.append)
    monkeypatch.setattr(bench, "Product", lambda _folder: None)

    def measure(name, *_):
        ran.append(name)
        return rows

    monkeypatch.setattr(bench, "_measure", measure)
    assert bench.main([*smoke, *names]) == status
    assert ran == (names or list(bench.NAMES))
    assert bool(tables) == written
    assert ("failed: ps: it gave no figure" in capsys.readouterr().out) == bool(status)


def test_each_measurement_is_in_the_list():
    having = {path.stem for path in FOLDER.glob("*.py") if "def measure(product: Product, folder" in path.read_text()}
    assert having == set(bench.NAMES)


def test_the_figures_of_the_screen_are_measured():
    assert {"paint", "frames", "ink", "resting"} <= set(bench.NAMES)


def test_sizes_are_chosen_after_it_is_known_which(monkeypatch):
    """A module that is imported with `__main__` would have its full sizes in a smoke run."""
    print_loaded = "import bench.__main__, sys; print(*(name for name in sys.modules if name.startswith('bench.')))"
    done = subprocess.run(
        [sys.executable, "-c", print_loaded], cwd=product.REPOSITORY, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "bench.product" in loaded
    assert not {name for name in loaded if "choose_size(" in (FOLDER / f"{name.partition('.')[2]}.py").read_text()} - {
        "bench.sizes"
    }
    monkeypatch.setenv(sizes.SMOKE, "1")
    assert sizes.choose_size(1000, smoke=3) == 3
    monkeypatch.delenv(sizes.SMOKE)
    assert sizes.choose_size(1000, smoke=3) == 1000
