"""The shape of the source in figures: circles of imports, floors, whole-program parameters, sizes of files.

Type-only and lazy imports count: what a file names is what it can't be read without.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import statistics
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

import grimp
import textual.app

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PACKAGES = ("overmind_core", "overmind_tui", "overmind_web")
WHOLE_PROGRAM = frozenset({"App", "OvermindApp"})
"""Types that know everybody: who takes one doesn't say what it needs."""
_APP = re.compile(r"App\b|\.\s*app\b")
"""Each of its uses has one of them: most files need not be parsed."""
TEXTUAL = "textual.app"
"""Its `App` is no whole program: it knows terminals and screens. Ours, which stands behind it, is one."""
HOSTS = ("overmind_core/daemon/",)
"""Where the whole program is built and run, and so may be named."""
SMALL = 60
"""Lines: a file below is small."""
Graph = grimp.ImportGraph


class Sizes(NamedTuple):
    """Lines per file, of all but the `__init__` files."""

    median: float
    small: float
    """Share of the files that are small."""
    largest: int
    largest_file: str


def graph() -> Graph:
    """Who imports whom."""
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)


def circles(imports: Graph) -> list[list[str]]:
    """Groups of modules each of which needs, over some steps, each other one of its group."""
    needs = {module: imports.find_upstream_modules(module) for module in imports.modules}
    found: set[frozenset[str]] = set()
    for module, needed in needs.items():
        circle = {other for other in needed if other != module and module in needs[other]}
        if circle:
            found.add(frozenset(circle | {module}))
    return sorted(sorted(circle) for circle in found)


FEATURES = "quests"
"""One of the floor of features: who has no floor of its own stands there."""
NO_FLOOR = frozenset({"demo", "supervisor"})
"""Programs that run as missions, with a contract of their own; the name under which older keepers start the daemon."""


def floors() -> list[set[str]]:
    """The packages of the core from the highest floor to the lowest, as the contract of the floors has them.

    What that doesn't name is a feature beside its siblings.
    """
    return [floor | _unplaced() if FEATURES in floor else floor for floor in _layers()]


def _unplaced() -> set[str]:
    """Features that no contract names."""
    return _packages() - NO_FLOOR - set().union(*_layers())


def _packages() -> set[str]:
    folder = os.path.join(REPOSITORY, "overmind_core")
    return {name for name in os.listdir(folder) if os.path.exists(os.path.join(folder, name, "__init__.py"))}


def _layers() -> list[set[str]]:
    with open(os.path.join(REPOSITORY, "pyproject.toml"), "rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [{name.strip() for name in layer.split("|")} for layer in layers]


def wrong_arrows(imports: Graph) -> list[tuple[str, str]]:
    """Imports from a lower floor to a higher one, between two packages of the same floor, and past the daemon's door.

    A feature that no contract names is the daemon's alone: command line and full-screen program ask it by the client.
    """
    height = {f"overmind_core.{name}": -at for at, floor in enumerate(floors()) for name in floor}
    behind_the_client = {f"overmind_core.{name}" for name in _unplaced()}
    found = []
    for module in imports.modules:
        package = _package(module)
        for needed in imports.find_modules_directly_imported_by(module):
            other = _package(needed)
            uphill = package in height and other in height and package != other and height[other] >= height[package]
            if uphill or (other in behind_the_client and package not in {other, "overmind_core.daemon"}):
                found.append((module, needed))
    return sorted(found)


def _package(module: str) -> str:
    return ".".join(module.split(".")[:2])


def source_files() -> Iterator[str]:
    """Every file of the program, relative to the repository."""
    for package in PACKAGES:
        for folder, _, names in os.walk(os.path.join(REPOSITORY, package)):
            for name in names:
                if name.endswith(".py"):
                    yield os.path.relpath(os.path.join(folder, name), REPOSITORY)


def sizes() -> Sizes:
    """How long the files are."""
    lines = {path: _read(path).count("\n") for path in source_files() if os.path.basename(path) != "__init__.py"}
    largest = max(lines, key=lambda path: (lines[path], path))
    small = sum(length < SMALL for length in lines.values()) / len(lines)
    return Sizes(statistics.median(lines.values()), small, lines[largest], largest)


def whole_program_uses() -> dict[str, int]:
    """File → how often it takes something out of a parameter that is the whole program."""
    found = {path: uses_of_whole(_read(path)) for path in source_files() if not path.startswith(HOSTS)}
    return {path: uses for path, uses in sorted(found.items()) if uses}


def uses_of_whole(source: str) -> int:
    """Count what is taken out of the whole program.

    That is `app.x` where `app` is typed as it, `self._app.x` where such an `app` was kept, and `widget.app.x`, which is
    how Textual hands it to everybody. What any application of Textual has is none of ours, and free.
    """
    if not _APP.search(source):
        return 0
    tree = ast.parse(source)
    free = _of_textual() if _names_textual(tree) else frozenset()
    uses = sum(_is_taken_from_widget(node) for node in ast.walk(tree))
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            wholes = _wholes(scope)
            uses += sum(_is_taken_from(node, wholes, free) for node in ast.walk(scope)) if wholes else 0
        elif isinstance(scope, ast.ClassDef):
            kept = _kept(scope) - {"app"}
            uses += sum(_is_taken_from_self(node, kept, free) for node in ast.walk(scope)) if kept else 0
    return uses


@functools.cache
def _of_textual() -> frozenset[str]:
    """What every application of Textual has."""
    return frozenset(dir(textual.app.App()))


def _names_textual(tree: ast.AST) -> bool:
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == TEXTUAL)
    return any(name.name == "App" for node in imports for name in node.names)


def _wholes(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    arguments = function.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return {one.arg for one in every if one.annotation is not None and _names_whole(one.annotation)}


def _names_whole(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id in WHOLE_PROGRAM for node in ast.walk(annotation))


def _kept(owner: ast.ClassDef) -> set[str]:
    """Attributes and properties of the class that hold the whole program."""
    kept = set()
    for function in owner.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        if function.returns is not None and _names_whole(function.returns):
            kept.add(function.name)
        wholes = _wholes(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in wholes:
                kept |= {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
    return kept


def _is_taken_from_widget(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Attribute) or node.value.attr != "app":
        return False
    return node.attr not in _of_textual()


def _is_taken_from(node: ast.AST, names: set[str], free: frozenset[str] = frozenset()) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr in free:
        return False
    return isinstance(node.value, ast.Name) and node.value.id in names


def _is_taken_from_self(node: ast.AST, kept: set[str], free: frozenset[str]) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr in free:
        return False
    return _is_taken_from(node.value, {"self"}) and _name_of(node.value) in kept


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def _read(path: str) -> str:
    with open(os.path.join(REPOSITORY, path), encoding="utf-8") as file:
        return file.read()


def report() -> str:
    """The figures, one a line."""
    imports, measured, uses = graph(), sizes(), whole_program_uses()
    found = circles(imports)
    by_package = ", ".join(
        f"{package} {sum(circle[0].startswith(package) for circle in found)}" for package in PACKAGES
    )
    most = f", {max(map(len, found))} files in the largest" if found else ""
    return "\n".join(
        (
            f"circles of imports          {len(found)} ({by_package}{most})",
            f"uses of the whole program   {sum(uses.values())} in {len(uses)} files",
            f"arrows to a higher floor    {len(wrong_arrows(imports))}",
            f"median file                 {measured.median:g} lines",
            f"below {SMALL} lines              {measured.small:.1%} of the files",
            f"largest file                {measured.largest} lines, {measured.largest_file}",
            "",
        )
    )
