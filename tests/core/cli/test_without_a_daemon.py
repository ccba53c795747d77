"""Commands that a person reads where no daemon runs, as after a shutdown: each works as it is printed."""

from __future__ import annotations

import re

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.daemon import cancelled_text
from overmind_core.cli.main import guarded
from overmind_core.client import daemon
from overmind_core.domain.missions.lost import lost_sentence, plan_again
from overmind_core.errors import OvermindError, sentence
from overmind_core.missions.left_processes import LeftBehind, go_on
from overmind_core.system import web_server
from overmind_core.system.lock import try_lock
from overmind_core.system.paths import Home, ensure_home

STARTED = "a daemon would start now"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home that a daemon has left, where the next one is not really started."""

    def launch(*_, **__):
        raise OvermindError("busy", STARTED)

    monkeypatch.setattr(daemon, "launch", launch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.toml").write_text("[agents.a]\ncommand = 'true'\n")
    found = Home(str(tmp_path / "home"))
    ensure_home(found)
    open(found.database, "w").close()
    return found


def commands_of(text):
    """The commands that a text names behind a colon."""
    return [one.rstrip(".").split()[1:] for one in re.findall(r": (overmind [^\n]*?)(?=\. |$|,)", text, re.MULTILINE)]


def _web(home):
    lock = try_lock(home.web_lock)
    assert lock is not None
    try:
        return "\n".join(web_server.goes_on(home))
    finally:
        lock.release()


SAID = {
    "shutdown, with processes left": lambda _: go_on([LeftBehind("aaaaaaaa", "api", ("4711 sleep 9",), "api")])[0],
    "shutdown, with a web server": _web,
    "shutdown, of quests": lambda home: cancelled_text(
        [{"name": "docs", "can_retry": True}, {"name": "h1", "can_retry": False, "again": "overmind quest run true"}],
        Context({"OVERMIND_HOME": home.root}),
    ),
    "shutdown --keep": lambda _: "Supervise again with: overmind start",
    "web stop": lambda _: "Logins stay. End them with: overmind web revoke --all -y",
    "missions that were lost": lambda _: lost_sentence(2),
    "a plan that was lost": lambda _: f"go on with: {plan_again('shop', 'shop.toml')}",
    "a plan without a file that was lost": lambda _: f"go on with: {plan_again('shop', '-')}",
    "no daemon": lambda _: sentence("daemon_not_running"),
    "the daemon was lost": lambda _: sentence("daemon_lost"),
}


@pytest.mark.parametrize("where", SAID)
def test_a_command_that_is_named_where_no_daemon_runs_needs_none_or_starts_it(where, home, capsys):
    named = commands_of(SAID[where](home))
    assert named
    for words in named:
        status = guarded(words, Context({"OVERMIND_HOME": home.root, "HOME": home.root}))
        said = capsys.readouterr().err
        assert STARTED in said or status == 0, (words, said)


@pytest.mark.parametrize("words", [["kill", "api"], ["web", "revoke", "--all", "-y"]])
def test_where_no_daemon_has_worked_none_is_started_to_end_something(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(daemon, "launch", lambda *_, **__: pytest.fail("started"))
    assert guarded(words, Context({"OVERMIND_HOME": str(tmp_path / "home")})) == 1
    assert "daemon_not_running" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_a_shutdown_names_the_command_of_each_quest_that_began_at_once_or_counts_them(home):
    context = Context({"OVERMIND_HOME": home.root})
    quests = [{"name": f"h{n}", "can_retry": False, "again": f"overmind quest run 'echo {n}'"} for n in range(4)]
    assert cancelled_text(quests[:2], context).splitlines() == [
        "Cancelled 2 quests: h0, h1. To keep what runs: overmind shutdown --keep",
        "Begin h0 again with: overmind quest run 'echo 0'",
        "Begin h1 again with: overmind quest run 'echo 1'",
    ]
    many = cancelled_text(quests, context).splitlines()
    assert many[1:] == ["Begin the 4 that began at once again with: overmind quest run"]
