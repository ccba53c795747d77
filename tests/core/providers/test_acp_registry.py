"""Agents in a copy of the protocol's registry: what becomes of an entry, and what nobody takes from it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.providers.acp_registry import RegistryAgent, Unusable, agent_of


def file_of(version="1.2.3", **distribution):
    return {"version": "1.0.0", "agents": [{"id": "x", "name": "X", "version": version, "distribution": distribution}]}


TAKEN = [
    ({"npx": {"package": "@a/b@2.0.0", "args": ["--acp"]}}, "npx --yes @a/b@2.0.0 --acp", "npm install -g @a/b@2.0.0"),
    ({"npx": {"package": "b"}}, "npx --yes b@1.2.3", "npm install -g b@1.2.3"),
    ({"npx": {"package": "b@latest"}}, "npx --yes b@1.2.3", "npm install -g b@1.2.3"),
    ({"npx": {"package": "b", "env": {"A": "1 2"}}}, "env A=1 2 npx --yes b@1.2.3", "npm install -g b@1.2.3"),
    ({"uvx": {"package": "b==3.1", "args": ["serve"]}}, "uvx b==3.1 serve", "uv tool install b==3.1"),
    ({"uvx": {"package": "b"}, "binary": {"linux-x86_64": {}}}, "uvx b@1.2.3", "uv tool install b@1.2.3"),
]


@pytest.mark.parametrize(("distribution", "command", "install"), TAKEN)
def test_a_package_is_run_with_its_version(distribution, command, install):
    found = agent_of(file_of(**distribution), "x")
    assert isinstance(found, RegistryAgent)
    assert " ".join((found.program, *found.arguments)) == command
    assert found.install == install


REFUSED = [
    ({"agents": []}, "x", 'it has no list "agents"'),
    ([], "x", 'it has no list "agents"'),
    (file_of(npx={"package": "b"}), "y", "it has no agent 'y'"),
    (file_of(binary={"linux-x86_64": {"archive": "https://a/b.tgz", "cmd": "./b"}}), "x", "x comes as an archive"),
    (file_of(), "x", "x comes as an archive"),
    (file_of(npx={"package": "--eval=x"}), "x", "is not the name of a package"),
    (file_of(npx={"package": "https://a/b.tgz"}), "x", "is not the name of a package"),
    (file_of(npx={"package": "../b"}), "x", "is not the name of a package"),
    (file_of("new", npx={"package": "b"}), "x", "it has no version"),
    (file_of(npx={"package": "b", "args": ["a\0"]}), "x", "its args are not all texts"),
    (file_of(npx={"package": "b", "args": [3]}), "x", "its args are not all texts"),
    (file_of(npx={"package": "b", "env": {"A B": "x"}}), "x", "'A B' in its env is not a variable"),
    (file_of(npx={"package": "b", "env": {"A": 3}}), "x", "'A' in its env is not a variable"),
]


@pytest.mark.parametrize(("file", "name", "said"), REFUSED)
def test_what_can_not_be_taken_is_refused_by_name(file, name, said):
    with pytest.raises(Unusable) as refused:
        agent_of(file, name)
    assert said in str(refused.value)


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["x", "b@1.0"])
KEYS = st.sampled_from(["agents", "id", "version", "distribution", "npx", "uvx", "package", "args", "env", "A"])
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))


@given(JSON)
def test_no_file_makes_it_fail(found):
    with suppress(Unusable):
        assert agent_of({"agents": [{"id": "x", "version": "1.0", "distribution": found}]}, "x").install
