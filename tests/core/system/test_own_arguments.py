"""An argument with a password is gone from the list of processes, and nothing else is."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.kit.overmind import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps arguments where they can be hidden")
PROGRAM = """
import sys
from overmind_core.system.own_arguments import hide_argument
with open("/proc/self/cmdline", "rb") as file:
    before = file.read()
hide_argument(sys.argv[2])
with open("/proc/self/cmdline", "rb") as file:
    after = file.read()
print([before, after, sys.argv[1:]])
"""


def run(*words, program=PROGRAM):
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *words], cwd=REPOSITORY, env={"PYTHONPATH": REPOSITORY},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return ast.literal_eval(done.stdout)


@pytest.mark.parametrize("word", ["postgresql://eu1:secret@db/work", "p", "ünï ☃ 'quoted' %41", "x" * 5000])
def test_the_list_of_processes_shows_asterisks_in_its_place(word):
    before, after, words = run("join", word, "--label", f"a={word}")
    hidden = word.encode()
    assert before.count(b"\0" + hidden + b"\0") == 1
    assert after == before.replace(b"\0" + hidden + b"\0", b"\0" + b"*" * len(hidden) + b"\0")
    assert words == ["join", word, "--label", f"a={word}"]


def test_what_is_no_argument_changes_nothing():
    before, after, _ = run("join", "secret", program=PROGRAM.replace("sys.argv[2]", "sys.argv[2][:-1]"))
    assert after == before


def test_an_empty_argument_is_nothing_to_hide():
    before, after, _ = run("join", "")
    assert after == before
