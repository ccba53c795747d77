"""Whatever is typed: a result or a clear error, never a traceback, and nothing that drives the person's terminal."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.errors import CODES
from tests.kit import torture

pytestmark = pytest.mark.torture

W = "\0"
"""Stands for a random word; no argument can hold it."""
COMMANDS = [
    [W],
    [W, W],
    ["info", W],
    ["info", "decoy", W],
    ["logs", W],
    ["logs", "decoy", "--since", W],
    ["logs", "decoy", "--grep", W],
    ["logs", "decoy", "--tail", W],
    ["stop", W],
    ["kill", W],
    ["kill"],
    ["rm", W],
    ["wait", W, "--timeout", "100ms"],
    ["wait", "decoy", "--timeout", W],
    ["update", W, "--name", W],
    ["update", "decoy", "--label", W],
    ["update", "decoy", "--grace", W],
    ["ps", "--status", W],
    ["ps", "--label", W],
    ["ps", "--children", W],
    ["ps", W],
    ["signal", "decoy", W],
    ["signal", W, "TERM"],
    ["freeze", W],
    ["restart", W],
    ["events", "--since", W],
    ["prune", "--older", W, "--dry-run"],
    ["run", "--name", W, "true"],
    ["run", "--cwd", W, "true"],
    ["run", "--env", W, "true"],
    ["run", "--env-file", W, "true"],
    ["run", "--size", W, "true"],
    ["run", "--label", W, "true"],
    ["run", "--parent", W, "true"],
    ["run", "--restart", W, "true"],
    ["run", "--backoff", W, "true"],
    ["run", "--timeout", W, "true"],
    ["run", "--stop-signal", W, "true"],
    ["run", "--type", W, "true"],
    ["run", "--provider", W, "true"],
    ["run", "--", "./absent/" + W, W],
    ["changes", W],
    ["commit", W, "-m", W],
    ["merge", W, "--into", W],
    ["merge", "decoy", "--verify", W],
    ["push", W, "--remote", W],
    ["discard", W],
]
MISCHIEF = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, escape sequences, bidirectional controls: what must not reach a terminal raw."""

words = st.one_of(
    st.binary(max_size=40).map(lambda data: os.fsdecode(data.replace(b"\0", b""))),
    st.text(st.characters(categories=("Cc", "Cf", "Lo", "Nd", "Zs", "So"), exclude_characters="\0"), max_size=20),
    st.sampled_from(
        ["", " ", "-", "--", "--nosuch", "-1", "..", "\x1b]0;owned\x07", "\x1b[2J", "\u202egnp.exe", "\n\n", "é" * 9]
    ),
    st.sampled_from(
        ["9" * 400, "1e999", "nan", "x" * 100_000, "=", "A=", "=B", "A=\x1b[31m", "0x0", "1x1", "-5s", "(", "[z-a]"]
    ),
)


def typed(template, word):
    """The arguments, with `word` in each place that is meant for one."""
    return [os.fsdecode(os.fsencode(part.replace(W, word))) for part in template]


def test_random_words(target):
    @settings(max_examples=torture.portion(70))
    @given(st.sampled_from(COMMANDS), words)
    @example(["run", "--name", W, "true"], "\x1b[31mred")
    @example([W], "\x1b[31mred")
    @example(["info", W], "\u202ename")
    @example(["logs", "decoy", "--grep", W], "(")
    def attack(template, word):
        arguments = typed(template, word)
        finished = target.om(*arguments)
        assert finished.returncode in {0, 1, 2, 124}, finished
        for text in (finished.stdout, finished.stderr):
            assert not MISCHIEF.search(text), (arguments, text)
            assert "Traceback" not in text, text
        if finished.returncode:
            assert_clear(finished)

    attack()
    target.assert_stands()


def assert_clear(finished):
    code = re.search(r"^Error: (\w+): .", finished.stderr, re.MULTILINE)
    assert code, finished
    assert code[1] in CODES
    assert code[1] != "internal", finished


def test_arguments_and_environment_arrive_byte_for_byte(target):
    plain = st.binary(min_size=1, max_size=60).map(lambda data: data.replace(b"\0", b"")).filter(bool)

    @settings(max_examples=torture.portion(15))
    @given(st.lists(plain, min_size=1, max_size=4), plain)
    @example([b"\xff\xfe", b"\x1b[31m", "é".encode(), b"-", b"--"], b"\x80=\n")
    def attack(arguments, value):
        argv = ["sh", "-c", 'printf \'%s\\n\' "$@" "$VALUE"', "sh", *map(os.fsdecode, arguments)]
        mission = target.om.mission(argv, "--no-tty", "--env", "VALUE=" + os.fsdecode(value))
        target.om.wait_status(mission, "stopped")
        assert target.om.raw("logs", mission, "--raw") == b"".join(part + b"\n" for part in [*arguments, value])
        for shown in (target.om.ok("ps"), target.om.ok("info", mission, "--env", "--reveal")):
            assert not MISCHIEF.search(shown), shown

    attack()
    target.assert_stands()


def test_a_value_of_a_hundred_kilobytes_is_an_error_and_starts_nothing(target):
    before = target.om.ps("--all")
    for option in ("--name", "--cwd", "--label", "--parent", "--restart", "--stop-signal"):
        finished = target.om("run", option, "x" * 100_000, "true")
        assert finished.returncode in {1, 2}, option
        assert_clear(finished)
        assert len(finished.stderr) < 1000, "the sentence repeats what was too long"
    assert [row["id"] for row in target.om.ps("--all")] == [row["id"] for row in before]
