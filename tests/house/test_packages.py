"""What holds for the packages as such."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest

from overmind_core.system.installation import DISTRIBUTION
from overmind_core.version import VERSION
from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY

SLOW_TO_IMPORT = {"asyncio", "dataclasses", "msgspec", "psutil", "sqlite3", "textual", "typing"}
EMULATOR = {
    "pyte",
    "wcwidth",
    "overmind_core.terminal.screen",
    "overmind_core.logs.snapshot",
    "overmind_core.client.terminal_link",
}
SOME_NEED = {
    "overmind_core.domain.admission",
    "overmind_core.domain.agents.agent_events",
    "overmind_core.domain.missions.mission",
    "overmind_core.domain.quests.quest",
    "overmind_core.domain.schedules",
    "overmind_core.providers.claude.provider",
    "overmind_tui.changes.page",
    "overmind_tui.landing.dialog",
    "overmind_tui.missions.form",
    "overmind_tui.specs.document",
}
"""What takes long to import, and is used after the first frame if at all."""
PACKAGES = sorted(
    os.path.relpath(folder, REPOSITORY)
    for folder, _, files in os.walk(os.path.join(REPOSITORY, "overmind_core"))
    if any(name.endswith(".py") for name in files)
)


def modules_after(statement: str) -> set[str]:
    shown = subprocess.run(
        [sys.executable, "-P", "-c", f"{statement}; import sys; print(*sys.modules)"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": REPOSITORY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    return set(shown.stdout.split())


def test_the_command_line_imports_nothing_slow():
    ours = modules_after("import overmind_core.cli.main") - modules_after("pass")
    assert not ours & SLOW_TO_IMPORT


COMPILES_PATTERNS = {"argparse", "enum", "json", "re"}
"""Modules that compile regular expressions, or are imported for that: a third of the time of a short command."""
SHORT = ("missions.list", "quests.list", "quests.queue", "quests.board")


@pytest.mark.parametrize("module", SHORT)
def test_a_list_is_shown_without_regular_expressions(module):
    shown = f"import overmind_core.cli.main, overmind_core.cli.{module}, overmind_core.client.client"
    ours = modules_after(shown) - modules_after("pass")
    assert not ours & COMPILES_PATTERNS
    assert not ours & SLOW_TO_IMPORT


def test_the_full_screen_program_imports_no_emulator_before_its_first_frame():
    assert not modules_after("import overmind_tui.app") & EMULATOR


def test_the_full_screen_program_imports_what_only_some_need_after_its_first_frame():
    assert not modules_after("import overmind_tui.app, overmind_tui.board.page") & SOME_NEED


@tabled("package", PACKAGES)
def test_an_init_file_holds_a_docstring_and_nothing_else(package):
    with open(os.path.join(REPOSITORY, package, "__init__.py")) as file:
        tree = ast.parse(file.read())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


SOURCES = [
    os.path.join(folder, name)
    for package in ("overmind_core", "overmind_tui", "overmind_web")
    for folder, _, names in os.walk(os.path.join(REPOSITORY, package))
    for name in names
    if name.endswith(".py")
]


def lost_texts(path: str) -> list[str]:
    """The texts in a file that stand below nothing that has a name: neither at its beginning nor below a value."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    return [
        f"{os.path.relpath(path, REPOSITORY)}:{text.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for before, text in itertools.pairwise(node.body)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
        if not isinstance(before, ast.Assign | ast.AnnAssign)
    ]


def test_each_docstring_stands_below_what_it_describes():
    assert [lost for path in SOURCES for lost in lost_texts(path)] == []


def test_the_installed_version_is_the_one_in_the_code():
    assert version(DISTRIBUTION) == VERSION


def test_the_lock_file_pins_every_dependency_and_names_no_index():
    with open(os.path.join(REPOSITORY, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    wanted = project["dependencies"] + [line for line in extras if not line.startswith(f"{DISTRIBUTION}[")]
    with open(os.path.join(REPOSITORY, "requirements.lock")) as file:
        lock = file.read()
    assert [line for line in wanted if f"\n{line.split('>=')[0].split('[')[0]}==" not in lock] == []
    assert "index-url" not in lock
    assert "/" not in lock.replace(" \\\n", "")


SLOW_TO_HOLD = {"asyncio", "dataclasses", "msgspec", "pickle", "subprocess", "tokenize", "traceback"}
"""Modules that would cost the keeper memory for as long as missions live."""


def test_the_keeper_holds_no_module_that_it_can_do_without():
    assert not modules_after("import overmind_core.keeper.main") & SLOW_TO_HOLD


def test_the_web_server_starts_without_what_only_some_pages_need():
    of_pages = {*EMULATOR, "textual", "rich", "sqlite3", "psutil", "segno"}
    assert not modules_after("import overmind_web.__main__") & of_pages
