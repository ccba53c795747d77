"""`context list` and `show`, and mistakes in their tables."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.own_home

TABLES = """
[contexts.web]
env = { STAGE = "test" }
secrets = ["NPM_TOKEN"]
on = { region = "eu" }
[contexts.far]
on = "any"
"""


def test_contexts_are_listed_and_shown_without_a_daemon(om):
    assert om.json("context", "list", "--json") == []
    assert om.ok("context", "list") == ""
    Path(om.home, "config.toml").write_text(TABLES)
    assert [line.split() for line in om.ok("context", "list").splitlines()] == [
        ["NAME", "ON", "SECRETS", "ENV"],
        ["web", "region=eu", "NPM_TOKEN", "STAGE"],
        ["far", "any", "-", "-"],
    ]
    web = {"name": "web", "on": {"region": "eu"}, "secrets": ["NPM_TOKEN"], "env": {"STAGE": "test"}}
    assert om.json("context", "show", "web") == web
    assert om.json("context", "list", "--json") == [web, {"name": "far", "on": {}, "secrets": [], "env": {}}]
    assert "Did you mean web?" in om.refused("context", "show", "we", code="not_found")


def test_a_mistake_in_a_context_stops_no_daemon_and_names_its_key(om):
    Path(om.home, "config.toml").write_text("[contexts.web]\nenv = { STAGE = 3 }\n")
    om.ok("run", "true")
    for words in (["context", "list"], ["run", "--context", "web", "true"], ["quest", "add", "A", "--context", "web"]):
        assert "contexts.web.env.STAGE: write a string" in om.refused(*words, code="invalid_config")
    assert len(om.ps("--all")) == 1


def test_a_context_that_is_not_there_starts_nothing(om):
    om.refused("run", "--context", "web", "true", code="not_found")
    om.refused("context", "list", "-H", "eu1", code="invalid", exit_code=2)
