"""`on`, `cpu` and `memory` of a plan's agents: what they say, and what is wrong with them, each at its place."""

from __future__ import annotations

import pytest

from overmind_core.domain.plans.blueprint import PlanAgent
from tests.kit.blueprint_texts import marked, problems, reading

BUILD = "[agents.build]\ncommand = 'make'\n"


def agent(text: str, **world) -> PlanAgent:
    return reading(BUILD + text, **world).blueprint.by_name["build"]


def test_an_agent_that_says_nothing_runs_on_this_machine():
    found = agent("")
    assert (found.on, found.cpu, found.memory, found.is_posted) == (None, 0.0, 0, False)


@pytest.mark.parametrize(
    ("keys", "on"),
    [
        ("on = 'any'", {}),
        ("on = {}", {}),
        ("on = { region = 'eu', disk = '${vars.size}' }", {"region": "eu", "disk": "big"}),
    ],
)
def test_an_agent_may_run_on_any_hive_or_on_those_with_its_labels(keys, on):
    found = agent(f"{keys}\n[vars]\nsize = 'big'\n")
    assert (found.on, found.is_posted) == (on, True)


def test_what_it_needs_is_reserved_there():
    found = agent("on = 'any'\ncpu = 0.5\nmemory = '4GB'\n")
    assert (found.cpu, found.memory) == (0.5, 4_000_000_000)


def test_its_folder_is_one_of_its_hive():
    assert agent("on = 'any'\n").start["cwd"] == ""
    assert agent("on = 'any'\ncwd = 'not/here'\n").start["cwd"] == "not/here"


MISTAKES = [
    ("§cpu = 2\n", "cpu needs on"),
    ("§memory = '1GB'\n", "memory needs on"),
    ("on = §'some'\n", 'on: write "any", or a table of labels'),
    ("on = §3\n", 'on: write "any", or a table of labels'),
    ("on = §['eu']\n", 'on: write "any", or a table of labels'),
    ("on = { §'a b' = 'x' }\n", "on: 'a b' is not the name of a label"),
    ("on = { region = §3 }\n", "region"),
    (f"on = {{ region = §'{'x' * 64}' }}\n", "at most 63 characters"),
    ("on = 'any'\ncpu = §0\n", "cpu: write a number of processors"),
    ("on = 'any'\ncpu = §5000\n", "cpu: write a number of processors"),
    ("on = 'any'\nmemory = §'lots'\n", "memory: write a size"),
    ("on = 'any'\n§isolate = true\n", "isolate can't be combined with on"),
    ("on = 'any'\n§ready = { tcp = 5432 }\n", "ready can't be combined with on"),
    ("on = 'any'\nprovider = 'claude'\nmcp_config = §['servers.json']\n", "a file of this machine is not on the hives"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_what_is_wrong_is_told_at_its_place(text, said):
    text, places = marked(BUILD + text)
    (found,) = problems(text)
    assert [(found.line, found.column)] == places
    assert said in found.message


def test_isolate_that_is_switched_off_is_no_mistake():
    assert agent("on = 'any'\nisolate = false\n").is_posted


def test_an_agent_that_lands_others_lands_them_here():
    text, places = marked("[agents.a]\ncommand = 'make'\nisolate = true\n[agents.land]\nmerge = ['a']\n§on = 'any'\n")
    (found,) = problems(text)
    assert [(found.line, found.column)] == places
    assert "on can't be combined with merge" in found.message


@pytest.mark.parametrize("key", ["on = 'any'", "cpu = 2", "memory = '1GB'"])
def test_where_an_agent_of_a_fleet_runs_is_its_fleet_s_to_say(key):
    text, places = marked(f"{BUILD}§{key}\n[fleets.build]\n")
    (found,) = problems(text)
    assert [(found.line, found.column)] == places
    assert "build runs in a fleet: say it there" in found.message
