"""Contexts of config.toml: what one says, and which key a mistake is of."""

from __future__ import annotations

import pytest

from overmind_core.domain.swarm.contexts import context_of


def test_a_context_says_variables_secrets_and_labels():
    whole = {"env": {"STAGE": "test"}, "secrets": ["NPM_TOKEN"], "on": {"region": "eu"}}
    assert context_of("web", whole) == ("web", {"STAGE": "test"}, ("NPM_TOKEN",), {"region": "eu"})
    assert context_of("web", {"on": "any"}) == ("web", {}, (), {})
    assert context_of("web", {}) == ("web", {}, (), None)


@pytest.mark.parametrize(
    ("entry", "key", "says"),
    [
        (3, "contexts.web: ", "write a table"),
        ({"secret": ["X"]}, "contexts.web: ", "Did you mean secrets?"),
        ({"cpu": 1}, "contexts.web: ", "has env, secrets and on"),
        ({"env": ["A=1"]}, "contexts.web.env: ", "write a table"),
        ({"env": {"A B": "1"}}, "contexts.web.env: ", "name of a variable"),
        ({"env": {"OVERMIND_HOME": "/"}}, "contexts.web.env: ", "name of a variable"),
        ({"env": {"A": 1}}, "contexts.web.env.A: ", "string in quotes"),
        ({"env": {"A": "x\0"}}, "contexts.web.env.A: ", "string in quotes"),
        ({"secrets": "X"}, "contexts.web.secrets: ", "list of names"),
        ({"secrets": [1]}, "contexts.web.secrets: ", "list of names"),
        ({"secrets": ["A B"]}, "contexts.web.secrets: ", "name of a secret"),
        ({"on": "gpu=yes"}, "contexts.web.on: ", "write labels"),
        ({"on": {}}, "contexts.web.on: ", "write labels"),
        ({"on": {"gpu": True}}, "contexts.web.on.gpu: ", "write a string"),
        ({"on": {"gpu": "y" * 64}}, "contexts.web.on.gpu: ", "63 characters"),
    ],
)
def test_a_mistake_is_named_with_its_key(entry, key, says):
    with pytest.raises(ValueError, match=says) as refused:
        context_of("web", entry)
    assert str(refused.value).startswith(key)
