"""What is said of a program is proven: by tests that are there, with the real one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from overmind_core.cli.agents.providers import abilities
from overmind_core.kernel.config import Settings
from overmind_core.providers import registry
from scripts.reference.proven import ROWS
from tests.kit import proofs
from tests.kit.cases import tabled
from tests.kit.own_screens import LOOKS

ROOT = Path(__file__).parents[2]
PROVEN = proofs.read()
CAPABILITIES = {row.capability for row in ROWS}


def marked():
    """The capabilities of each test, by its file and function."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in ROOT.glob("tests/engines/*/test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                marks = (one for decorator in node.decorator_list for one in ast.walk(decorator))
                name = f"{path.relative_to(ROOT)}::{node.name}"
                found[name] |= {
                    str(ast.literal_eval(one.args[0]))
                    for one in marks
                    if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.proves"
                }
    return found


def test_each_proof_is_a_test_that_is_there():
    marks = marked()
    assert [one for one in PROVEN if one.capability not in marks[one.test]] == []
    assert {one for names in marks.values() for one in names} == CAPABILITIES


@tabled("name", registry.names()[1:])
def test_a_provider_tells_only_what_was_proven(name):
    row = abilities(registry.get(name), (registry.get(name).program, Settings()))
    told = {
        "task": row["task"],
        "session": row["session"],
        "screen": row["screen"] == "yes",
        "questions": row["asks"],
        "resume": row["resume"] is True,
        "resume on its screen": row["resume"] == "screen",
        "fork": row["fork"] in {"at", "whole"},
        "fork on its screen": row["fork"] == "screen",
        "fork at a message": row["fork"] == "at",
        "tokens": row["cost"] in {"tokens", "dollars"},
        "dollars": row["cost"] == "dollars",
    }
    proven = {one.capability for one in PROVEN if one.program == name}
    assert {one for one, yes in told.items() if yes} <= proven
    assert row["screen"] == "yes" or row["state"] == LOOKS[name].source
    assert "state" in proven


def test_who_fails_once_has_proven_nothing_and_who_was_not_run_keeps_what_he_had():
    recorder = proofs.Recorder()
    old, other = proofs.Proof("codex", "task", "old"), proofs.Proof("codex", "fork", "one")
    for program, test, outcome in (("codex", "new", "passed"), ("codex", "bad", "failed"), ("pi", "new", "passed")):
        recorder.pytest_runtest_logreport(report(proofs.Proof(program, "task", test), outcome))
    assert recorder.merged([old, other]) == [other, proofs.Proof("pi", "task", "new")]


def report(proof, outcome):
    return pytest.TestReport(
        nodeid=proof.test,
        location=("", 0, ""),
        keywords={},
        outcome=outcome,
        longrepr=None,
        when="call",
        user_properties=[(proofs.PROPERTY, list(proof))],
    )
