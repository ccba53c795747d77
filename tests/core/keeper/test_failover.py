"""Somebody always supervises; and a keeper that nobody needs leaves."""

from __future__ import annotations

import os
import subprocess
import sys

from overmind_core.keeper.exit_journal import ExitJournal


def test_a_new_keeper_appends_to_the_journal_of_a_killed_one(tmp_path):
    path = str(tmp_path / "exits.ndjson")
    ExitJournal(path).add({"run": "a.1"})
    with open(path, "a", encoding="utf-8") as file:
        file.write('{"run":"tor')
    ExitJournal(path).add({"run": "a.2"})
    with open(path, encoding="utf-8") as file:
        assert file.read() == '{"run":"a.1"}\n{"run":"tor\n{"run":"a.2"}\n'


def test_the_keeper_imports_nothing_heavy():
    code = "import overmind_core.keeper.main, sys; print(*sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True)
    heavy = {"argparse", "asyncio", "dataclasses", "msgspec", "psutil", "sqlite3", "subprocess", "textual"}
    assert heavy & set(done.stdout.split()) == set()
