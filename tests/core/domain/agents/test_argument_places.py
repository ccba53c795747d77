"""Places in the arguments of a person's own program: each is filled once, and stays one argument."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.argument_places import filled, missing, problems

FILLED = [
    (["{prompt}"], {"prompt": "a 'b' {cwd}\n"}, ["a 'b' {cwd}\n"]),
    (["-p={prompt}", "{cwd}/x"], {"prompt": "p", "cwd": "/w"}, ["-p=p", "/w/x"]),
    (["--model", "{model?}", "x"], {}, ["x"]),
    (["--model", "{model?}", "x"], {"model": "m"}, ["--model", "m", "x"]),
    (["--model={model?}", "x"], {}, ["x"]),
    (["run", "{model?}"], {}, ["run"]),
    (["-v", "m={model?}"], {}, ["-v"]),
    (["--a=b", "{model?}"], {}, ["--a=b"]),
    (["-a", "{model?}", "{system?}"], {"system": "s"}, ["s"]),
    (["{", "{}", "{1}", '{"a": 1}'], {}, ["{", "{}", "{1}", '{"a": 1}']),
]


@pytest.mark.parametrize(("words", "values", "made"), FILLED)
def test_a_place_is_filled_or_left_out_with_its_option(words, values, made):
    assert filled(words, values) == made


def test_what_has_to_be_given_is_named():
    assert missing(["{model}", "{system?}{prompt}", "{model}"], {"prompt": "x"}) == ["model"]
    assert list(problems("ask", ["{prompt}"], on_stdin=False)) == list(problems("ask", ["-"], on_stdin=True)) == []


IN_SCRIPTS = [
    ("sh", ["-c", "echo {prompt}"]),
    ("/bin/bash", ["-lc", "echo '{prompt}'"]),
    ("zsh", ["-e", "-c", "-x", "{prompt}"]),
    ("bash", ["--norc", "-o", "pipefail", "-c", "-o", "errexit", "x {model?}", "{prompt}"]),
    ("bash", ["-ceo", "pipefail", "ask {prompt}"]),
    ("fish", ["--command=ask {prompt}"]),
    ("fish", ["--command", "ask {system}", "{prompt}"]),
    ("dash", ["-c", 'cd {cwd}; ask "$1"', "sh", "{prompt}"]),
    ("ksh", ["-c", "--", "ask {prompt}"]),
    ("env", ["A=b", "/bin/sh", "-c", "ask {prompt}"]),
]


@pytest.mark.parametrize(("program", "words"), IN_SCRIPTS)
def test_no_place_is_in_what_a_shell_reads(program, words):
    (said,) = problems(program, words, on_stdin=False)
    assert "would be read by" in said
    assert """as in ["-c", 'ask "$1"', "sh", "{prompt}"]""" in said


ARGUMENTS = [
    ("sh", ["-c", 'ask "$1" | tidy', "sh", "{prompt}"]),
    ("sh", ["./ask.sh", "-c", "{prompt}"]),
    ("ask", ["-c", "{prompt}"]),
    ("fish", ["-c", "ask $argv", "{prompt}", "-m", "{model?}"]),
]


@pytest.mark.parametrize(("program", "words"), ARGUMENTS)
def test_a_place_behind_what_a_shell_reads_is_an_argument(program, words):
    assert list(problems(program, words, on_stdin=False)) == []
