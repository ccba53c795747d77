"""Agents that a blueprint takes from git at a commit: what they become, and what is wrong with them, where."""

from __future__ import annotations

from pathlib import Path

import pytest

from overmind_core.domain.plans.genome import LARGEST, GenomeAddress, GenomeError, parse
from tests.kit.blueprint_texts import problems, reading
from tests.kit.repositories import Repository

REVIEW = (
    '[agents.review]\ncommand = "look at ${vars.what}"\nprovider = "claude"\n'
    '[agents.build]\ncommand = "make"\nready = { exec = "make ping" }\ntimeout = "5m"\n'
    '[agents.wrong]\ncommand = "true"\nrestart = "sometimes"\n'
)


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[str, str]:
    """The path of a bare repository with agents, and its commit of tag v3; its branch main is another one."""
    made = Repository(str(tmp_path / "agents"))
    commit = made.commit(
        "agents", {"team/review.toml": REVIEW, "broken.toml": "[agents\n", "large.toml": "#" * LARGEST}
    )
    made.git("tag", "-a", "-m", "three", "v3")
    made.commit(
        "more", {"team/review.toml": '[agents.review]\ncommand = "changed"\n', "large.toml": "#" * (LARGEST + 1)}
    )
    bare = str(tmp_path / "agents.git")
    made.git("clone", "-q", "--bare", made.folder, bare)
    return bare, commit


def taken(address: str, more: str = "") -> str:
    """A blueprint that takes its agent `a`."""
    return f'[vars]\nwhat = "issues"\n[agents.a]\nagent = "{address}"\n{more}'


def test_an_agent_is_taken_at_the_commit_of_a_tag_and_its_own_keys_win(shelf):
    bare, commit = shelf
    (agent,) = reading(taken(f"{bare}//team/review.toml@v3#build", 'timeout = "9m"\n')).blueprint.agents
    assert (agent.start["command"], agent.start["timeout"]) == ("make", "9m")
    assert agent.genome is not None
    assert (agent.genome.file, agent.genome.ref, agent.genome.commit) == (f"{bare}//team/review.toml", "v3", commit)
    assert agent.genome.commands == ("look at ${vars.what}", "make", "make ping", "true")
    assert len(agent.genome.sha256) == 64


@pytest.mark.parametrize("ref", ["main", "commit", "${vars.what}"])
def test_a_branch_a_commit_and_a_variable_name_one_too(shelf, ref):
    bare, commit = shelf
    text = taken(f"file://{bare}//team/review.toml@{commit if ref == 'commit' else ref}#review")
    (agent,) = reading(text.replace('"issues"', '"v3"'), variables={}).blueprint.agents
    expected = "changed" if ref == "main" else "look at ${vars.what}"
    found = agent.start.get("agent", {}).get("prompt", agent.start["command"])
    assert found == expected


def test_a_fleet_takes_its_agent_by_itself(shelf):
    bare, commit = shelf
    found = reading(f'[fleets.build]\nagent = "{bare}//team/review.toml@v3#build"\nreplicas = 2\n')
    (fleet,) = found.fleets
    assert (fleet.agent, fleet.want, fleet.run["command"], found.blueprint.agents) == ("build", 2, "make", ())
    assert fleet.genome is not None
    assert fleet.genome.commit == commit


WRONG = [
    ("{bare}//team/review.toml@v4#build", "has no branch, tag or whole commit 'v4'"),
    ("{bare}//team/reviews.toml@v3#build", "has no file 'team/reviews.toml' at v3 ("),
    ("{bare}//team@v3#build", "has no file 'team' at v3 ("),
    ("{bare}//team/review.toml@v3#biuld", "Did you mean build?"),
    ("{bare}//broken.toml@v3#build", "{bare}//broken.toml:1:"),
    ("{bare}//large.toml@v3#build", "has no agent 'build'"),
    ("{bare}//large.toml@main#build", f"at most {LARGEST} are read"),
    ("/nowhere/agents.git//review.toml@v3#build", "/nowhere/agents.git can't be fetched"),
    (
        "{bare}//team/review.toml@v3#wrong",
        "{bare}//team/review.toml:10:11: restart: unknown restart policy 'sometimes'",
    ),
    ("build", "'build' is not URL//FILE@REF#AGENT"),
]


@pytest.mark.parametrize(("address", "message"), WRONG)
def test_what_is_wrong_is_told_where_the_blueprint_names_it(shelf, address, message):
    bare, _ = shelf
    (problem,) = problems(taken(address.format(bare=bare)))
    assert (problem.line, problem.column) == (4, 9)
    assert message.format(bare=bare) in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "ext::sh -c touch% /tmp/x//a.toml@v3#a",
        "--upload-pack=touch//a.toml@v3#a",
        "/x//a.toml@--upload-pack=y#a",
        "/x//-a.toml@v3#a",
        "/x//../a.toml@v3#a",
        "/x//a.toml@v3..v4#a",
        "/x//a.toml@v3^{commit}#a",
        "/x//a.toml@v3#a b",
        "https://example.com/a.toml@v3#a",
        "/x//a.toml#a",
        "/x//a.toml@v3",
        "/x\n//a.toml@v3#a",
    ],
)
def test_nothing_is_an_address_that_git_would_take_for_an_option_or_a_program(text):
    with pytest.raises(GenomeError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com/agents.git//team/review.toml@v3#review", "https://example.com/agents.git"),
        ("git@example.com:agents.git//team/review.toml@v3#review", "git@example.com:agents.git"),
        ("ssh://git@example.com/agents.git//team/review.toml@v3#review", "ssh://git@example.com/agents.git"),
        ("/srv/agents.git//team/review.toml@v3#review", "/srv/agents.git"),
        ("../agents.git//team/review.toml@v3#review", "/project/../agents.git"),
    ],
)
def test_an_address_names_a_repository_as_git_takes_it(text, url):
    assert parse(text, "/project") == GenomeAddress(url, "team/review.toml", "v3", "review")


def test_an_agent_of_a_plan_elsewhere_can_not_be_taken(tmp_path: Path):
    made = Repository(str(tmp_path / "agents"))
    made.commit(
        "agents", {"a.toml": '[agents.a]\ncommand = "true"\ndepends_on = ["b"]\n[agents.b]\ncommand = "true"\n'}
    )
    (problem,) = problems(taken(f"{made.folder}//a.toml@main#a"))
    assert f"{made.folder}//a.toml:3:1: an agent that is taken from git can't have depends_on" in problem.message
