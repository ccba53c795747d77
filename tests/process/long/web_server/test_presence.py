"""Who looks is not called elsewhere; a page that nobody sees, or that answers no more, swallows no call."""

from __future__ import annotations

import json

import pytest

from tests.kit.agents import Agents
from tests.kit.waiting import eventually
from tests.process.web_server.test_presence import ask, deny


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


def test_a_page_that_answers_no_more_is_taken_for_nobody(om, called, planner, site):
    """A phone that sleeps keeps its socket open for minutes."""
    tab = site.tab()
    try:
        tab.say({"t": "look", "visible": True})

        def is_called() -> bool:
            ask(om, planner, "asleep")
            deny(om, planner)
            return bool(called.exists())

        eventually(is_called, timeout=60.0, what="a call")
    finally:
        tab.close()
