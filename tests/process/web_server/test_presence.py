"""Who looks is not called elsewhere; a page that nobody sees, or that answers no more, swallows no call."""

from __future__ import annotations

import json

import pytest

from tests.kit.agents import Agents
from tests.kit.waiting import eventually


@pytest.fixture
def called(om, tmp_path):
    """The file to which a command of the person's writes each call."""
    file = tmp_path / "calls"
    script = f'printf "%s\\n" "$2" >> {file}'
    with open(om.path("config.toml"), "w", encoding="utf-8") as config:
        config.write(f"[notify]\ncommand = {json.dumps(['/bin/sh', '-c', script, 'sh'])}\n")
    return file


@pytest.fixture
def planner(om, called, tmp_path):
    return Agents(om, str(tmp_path / "bin")).session()


def ask(om, planner: str, word: str) -> None:
    """Have the agent ask a question, and then take it back."""
    om.ok("send", planner, f"!bash touch {word}")
    eventually(lambda: any(one for one in json.loads(om.ok("inbox", "--json")) if word in json.dumps(one)))


def deny(om, planner: str) -> None:
    om.ok("answer", planner, "deny")
    om.ok("send", planner, "--wait", "go on")


def test_a_page_that_is_seen_rings_and_no_command_is_called_until_it_is_hidden(om, called, planner, site):
    with site.tab() as tab:
        tab.hear()
        tab.say({"t": "look", "visible": True, "calls": False, "mission": None, "ago": 0.0})
        eventually(lambda: json.loads(om.ok("status", "--json")), what="the daemon answers")
        tab.press("ps")  # what was said before it is done
        ring = None
        for word in ("first", "second", "third"):  # the daemon may hear of the page only after the first question
            ask(om, planner, word)
            if ring is None and not called.exists():
                ring = tab.heard(lambda message: message["t"] == "ring")
            deny(om, planner)
        assert ring is not None
        assert (ring["mission"], ring["why"]) == (planner, "blocked")
        assert ring["name"]
        before = called.read_text() if called.exists() else ""
        tab.say({"t": "look", "visible": False})
        tab.press("ps")

        def is_called() -> bool:
            ask(om, planner, "hidden")
            deny(om, planner)
            return bool(called.exists() and called.read_text() != before)

        eventually(is_called, timeout=30.0, what="a call")


def test_a_page_that_went_away_is_nobody_who_looks(om, called, planner, site):
    with site.tab() as tab:
        tab.hear()
        tab.say({"t": "look", "visible": True})
        tab.press("ps")
    with site.tab():

        def is_called() -> bool:
            ask(om, planner, "gone")
            deny(om, planner)
            return bool(called.exists())

        eventually(is_called, timeout=30.0, what="a call")
