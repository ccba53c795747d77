"""`[fleets.NAME]` and `[sentinels.NAME]`: what they say, and what is wrong with them, each at its place."""

from __future__ import annotations

import pytest

from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.domain.plans.fleet import Fleet
from tests.kit.blueprint_texts import marked, problems, reading

REVIEW = '[agents.review]\ncommand = "run-review"\n'


def fleets(text: str, **world) -> dict[str, Fleet]:
    return {one.name: one for one in reading(text, **world).fleets}


def test_a_fleet_has_all_that_its_table_says():
    text = (
        f"{REVIEW}[fleets.eu-review]\nagent = 'review'\nreplicas = 3\non = {{ region = 'eu' }}\non_lost = 'move'\n"
        "lease = '60s'\ncpu = 0.5\nmemory = '4GB'\nsecrets = ['NPM_TOKEN']\n"
    )
    assert fleets(text) == {
        "eu-review": Fleet(
            name="eu-review",
            agent="review",
            run={"command": "run-review", "cwd": "", "env_set": {}},
            want=3,
            on={"region": "eu"},
            cpu=0.5,
            memory=4_000_000_000,
            secrets=("NPM_TOKEN",),
            on_lost="move",
            lease=60.0,
        )
    }


def test_a_fleet_says_little_and_is_one_place_of_the_agent_of_its_name():
    found = fleets(f"{REVIEW}[fleets.review]\n")["review"]
    assert (found.agent, found.want, found.on, found.on_lost, found.lease) == ("review", 1, {}, "wait", 600.0)


@pytest.mark.parametrize(
    "table", ["[sentinels.disk]\nagent = 'review'", "[fleets.disk]\nagent = 'review'\nreplicas = 'each'"]
)
def test_a_sentinel_wants_one_place_on_every_fitting_hive(table):
    assert fleets(REVIEW + table)["disk"].want is None


def test_an_agent_of_a_fleet_is_none_of_the_plan():
    found = reading(f"{REVIEW}[agents.build]\ncommand = 'make'\n[fleets.review]\n")
    assert [one.name for one in found.blueprint.agents] == ["build"]
    assert reading(f"{REVIEW}[fleets.review]\n").blueprint.agents == ()


def test_references_travel_as_values_and_those_of_a_shell_as_variables():
    text = (
        "[vars]\nbase = 'main'\n[agents.review]\ncommand = 'run ${vars.base}'\ncwd = '${env.HOME}/x'\n"
        "ready = { exec = 'test -e ${vars.base}', timeout = '5s' }\n[fleets.review]\non = { region = '${vars.base}' }\n"
    )
    found = fleets(text)["review"]
    assert found.run["env_set"] == {"OVERMIND_REF_1": "main"}
    assert "OVERMIND_REF_1" in found.run["command"]
    assert found.run["cwd"] == "/home/ada/x"
    assert found.ready is not None
    assert (found.ready.kind, found.ready.timeout) == (ProbeKind.EXEC, 5.0)
    assert found.ready_env == {"OVERMIND_REF_1": "main"}
    assert found.on == {"region": "main"}


def test_a_folder_of_a_fleet_is_that_of_its_hive_and_not_looked_for_here():
    found = fleets("[agents.review]\ncommand = 'x'\ncwd = 'nowhere'\nready = { tcp = 80 }\n[fleets.review]\n")["review"]
    assert found.run["cwd"] == "nowhere"
    assert found.ready == Probe(ProbeKind.TCP, "80")


WRONG = [
    ("[fleets.review]\nagent = §'revew'", "agent: no agent is named 'revew'"),
    ("[fleets.§disk]\nreplicas = 2", "disk: no agent is named 'disk'"),
    ("[fleets.§reviews]", "reviews: no agent is named 'reviews'. Did you mean review? Name one: agent = "),
    ("[fleets.review]\nreplicas = §-1", "replicas: write a number from 0 to 10000"),
    ("[fleets.review]\nreplicas = §true", "replicas: write a number from 0 to 10000"),
    ("[fleets.review]\nreplicas = §'all'", 'or "each" for one on every fitting hive'),
    ("[fleets.review]\nreplicas = §10001", "replicas: write a number from 0 to 10000"),
    ("[fleets.review]\nlease = §'9s'", "lease: a hive that is only slow would lose it: write 10s or more"),
    ("[fleets.review]\non_lost = §'go'", "on_lost: unknown value 'go'"),
    ("[fleets.review]\non = §'eu'", "on: write a table of labels"),
    ("[fleets.review]\non = { region = §1 }", "region: write a string in quotes"),
    ("[fleets.review]\non = { §'a b' = 'x' }", "on: 'a b' is not the name of a label"),
    ("[fleets.review]\ncpu = §0", "cpu: write a number of processors"),
    ("[fleets.review]\nmemory = §'much'", "memory: write a size"),
    ("[fleets.review]\nsecrets = §['A B']", "secrets: 'A B' can't be the name of a secret"),
    ("[fleets.review]\n§size = 3", "unknown key 'size'"),
    ("[sentinels.review]\n§replicas = 3", "unknown key 'replicas'"),
    ("[fleets.§'../x']\nagent = 'review'", "A name can only contain"),
    (f"[fleets.§{'x' * 41}]\nagent = 'review'", "The name of a fleet has at most 40 characters"),
    ("[fleets.review]\n[sentinels.§review]", "a fleet is called review already"),
    ("[fleets]\nreview = §3", "write a table"),
    ("[fleets.review]\n[agents.b]\ncommand = 'x'\ndepends_on = [§'review']", "no agent of the plan can wait for it"),
    ("[fleets.review]\n[agents.b]\ncommand = ['§${agents.review.result}']", "no agent of the plan can wait for it"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_said_at_its_place(text, message):
    plain, places = marked(REVIEW + text)
    found = problems(plain)
    assert [(one.line, one.column) for one in found] == places
    assert message in found[0].message


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("§depends_on = ['b']", "depends_on is for agents of the plan, and review runs in a fleet"),
        ("§retries = 2", "retries is for agents of the plan, and review runs in a fleet"),
        ("§outputs = ['facts']", "outputs is for agents of the plan, and review runs in a fleet"),
        ("§isolate = true", "isolate needs a repository, and review runs in a folder of its hive"),
        ("env = { A = '§${agents.b.result}' }", "review runs in a fleet, and can't refer to the agent b"),
    ],
)
def test_an_agent_of_a_fleet_has_nothing_of_a_plan(keys, message):
    plain, places = marked(f"[agents.b]\ncommand = 'x'\n[agents.review]\ncommand = 'y'\n{keys}\n[fleets.review]\n")
    found = problems(plain)
    assert [(one.line, one.column) for one in found] == places
    assert message in found[0].message


def test_a_file_of_this_machine_is_not_on_the_hives_of_a_fleet():
    agent = "[agents.review]\nprovider = 'claude'\ncommand = 'y'\nmcp_config = §'a.json'\n"
    plain, places = marked(f"{agent}[fleets.review]\n")
    found = problems(plain)
    assert [(one.line, one.column) for one in found] == places
    assert "write its JSON itself" in found[0].message
