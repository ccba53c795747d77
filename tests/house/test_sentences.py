"""A code has one sentence: that of the table of reasons. No other module has one of its own, nor a copy of one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.reasons import SENTENCES

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "overmind_core/domain/missions/reasons.py"
PACKAGES = ("overmind_core", "overmind_tui", "overmind_web")
CODES = SENTENCES.keys() - {outcome.value for outcome in Outcome}
"""Those that are no words for people themselves."""
WORDS = 3
"""A text of so many words is a sentence."""
_ENTRY = re.compile(r"""["']?(\w+)["']?\s*:\s*["'`]([^"'`\n]+)["'`]""")


def is_sentence(text: object) -> bool:
    """Tell a sentence from a code or a label."""
    return isinstance(text, str) and len(text.split()) >= WORDS


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path != TABLE:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def tables_of_codes(tree: ast.AST) -> Iterator[ast.Dict]:
    """Yield each mapping of which two codes or more have sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs = [
                key.value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and is_sentence(value.value)
            ]
            if len(CODES & set(pairs)) > 1:
                yield node


def test_no_other_module_has_sentences_for_codes():
    assert [
        f"{path.relative_to(ROOT)}:{found.lineno}" for path, tree in modules() for found in tables_of_codes(tree)
    ] == []


def test_no_other_module_has_a_copy_of_a_sentence():
    copies = {text for text in SENTENCES.values() if is_sentence(text)}
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in copies
    ] == []


def test_no_script_of_the_browser_has_either():
    found = []
    for path in (ROOT / "overmind_web/static").rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        found += [sentence for sentence in SENTENCES.values() if is_sentence(sentence) and sentence in text]
        codes = {code for code, text in _ENTRY.findall(text) if is_sentence(text)}
        found += [f"{path.name}: {codes & CODES}"] if len(codes & CODES) > 1 else []
    assert found == []


def test_a_second_table_would_be_found():
    planted = ast.parse(
        '{"timeout": "it was much too slow", "conflicts": "somebody else was faster", "other": "x y z"}'
    )
    assert len(list(tables_of_codes(planted))) == 1
    assert not list(tables_of_codes(ast.parse('{"timeout": "timed out", "conflicts": "somebody else was faster"}')))
