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
    assert list(problems(["{prompt}"], on_stdin=False)) == list(problems(["-"], on_stdin=True)) == []
