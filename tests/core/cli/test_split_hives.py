"""`-H` among the words of a command, and names that begin with that of a hive."""

from __future__ import annotations

import pytest

from overmind_core.cli.command import find, split_hives
from overmind_core.errors import UsageError


@pytest.mark.parametrize(
    ("command", "words", "kept", "hives"),
    [
        ("ps", ["-H", "eu1"], [], ["eu1"]),
        ("ps", ["-q", "-H", "eu1", "--all"], ["-q", "--all"], ["eu1"]),
        ("ps", ["--hive=eu1", "--hive", "eu2"], [], ["eu1", "eu2"]),
        ("ps", ["--status", "-H", "-H", "eu1"], ["--status", "-H"], ["eu1"]),
        ("logs", ["api", "-H", "eu1"], ["api"], ["eu1"]),
        ("logs", ["--", "-H", "eu1"], ["--", "-H", "eu1"], []),
        ("stop", ["a", "b", "-H", "eu1,eu2"], ["a", "b"], ["eu1,eu2"]),
        ("run", ["-H", "eu1", "grep", "-H", "x"], ["grep", "-H", "x"], ["eu1"]),
        ("run", ["--wait", "-H", "eu1", "--", "curl", "-H", "a"], ["--wait", "--", "curl", "-H", "a"], ["eu1"]),
        ("run", ["--name", "-H", "true"], ["--name", "-H", "true"], []),
        ("run", ["-", "-H", "eu1"], ["-", "-H", "eu1"], []),
        ("claude run", ["-H", "eu1", "fix", "-H"], ["fix", "-H"], ["eu1"]),
        ("ps", ["--hive="], [], [""]),
        ("ps", [], [], []),
    ],
)  # fmt: skip
def test_the_option_is_taken_out_and_a_commands_own_stays(command, words, kept, hives):
    assert split_hives(find(command), words) == (kept, hives, [])


def test_the_key_of_a_request_is_taken_out_as_a_hive_is():
    words = ["--request", "k", "-H", "eu1", "grep", "--request", "x"]
    assert split_hives(find("run"), words) == (["grep", "--request", "x"], ["eu1"], ["k"])
    with pytest.raises(UsageError, match="needs the key"):
        split_hives(find("ps"), ["--request"])


@pytest.mark.parametrize("words", [["-H"], ["--hive"], ["-q", "-H"]])
def test_an_option_without_a_hive_is_refused(words):
    with pytest.raises(UsageError, match="needs a hive"):
        split_hives(find("ps"), words)
