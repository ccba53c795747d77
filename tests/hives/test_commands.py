"""`-H` and all commands of the table: each is done there, or says in one sentence that it is for this machine alone."""

from __future__ import annotations

import os
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.cli import main
from overmind_core.cli.command import MODULES, find
from overmind_core.cli.context import Context
from overmind_core.cli.hives.elsewhere import choose_hives
from overmind_core.cli.hives.gather import Gathered
from overmind_core.cli.hives.merged import with_hive
from overmind_core.cli.hives.only_here import is_only_here
from overmind_core.client.hives.hive import Hive
from overmind_core.client.unreadable import SENTENCE
from overmind_core.domain.hives import LOCAL
from overmind_core.errors import UsageError
from overmind_core.version import VERSION
from tests.hives.test_keys import reached
from tests.kit.named_hives import name_odd_hive
from tests.kit.waiting import eventually

__all__ = ["reached"]

SHELL = {"<", ">", "|", "&&", "$"}
"""What is the shell's in an example."""
ENDLESS = {"monitor"}
LAST = "shutdown"
THERE = sorted(name for name in MODULES if not is_only_here(name) and name not in {*ENDLESS, LAST})
HERE_FIRST = ("needs a terminal", "No such file or directory", "Give a value", "The file is empty")
"""What a command finds out before it asks anybody."""


def example(name: str) -> list[str]:
    """The words of a command's shortest example, up to what is the shell's; one without that, if there is one."""
    found = []
    for text in find(name).examples:
        before, own, rest = text.partition(f"overmind {name}")
        words = shlex.split((own + rest).partition(')"')[0], comments=True)[1:]
        end = next((at for at, word in enumerate(words) if SHELL & {word, word[0]}), len(words))
        if words:
            found.append((bool(before) + (end < len(words)), len(words), words[:end]))
    return min(found)[2]


@pytest.fixture
def asked(monkeypatch):
    """What the command line would ask another hive, each time that it is run."""
    seen: list[object] = []

    def elsewhere(command, args, hives, context):
        del context
        seen.append((command.name, vars(args), hives))
        return 0

    monkeypatch.setattr(main, "_run_elsewhere", elsewhere)
    return seen


@pytest.mark.parametrize("name", MODULES)
def test_a_hive_stands_before_and_after_every_command(name, asked):
    words, length = example(name), len(name.split())
    main.run(["-H", "eu1", *words], Context({}))
    main.run([*words[:length], "-H", "eu1", *words[length:]], Context({}))
    main.run([*words[:length], "--hive=eu1", *words[length:]], Context({}))
    own = 0 if find(name).rest is None else len(find(name).arguments)
    if own and not words[length].startswith("-"):  # `quest add TITLE -H eu1 -- CMD`
        main.run([*words[: length + own], "-H", "eu1", *words[length + own :]], Context({}))
    (command, _, hives), *others = asked
    assert (command, hives) == (name, ["eu1"])
    assert all(one == asked[0] for one in others)


@pytest.mark.parametrize("name", [name for name in MODULES if is_only_here(name)])
def test_what_is_for_this_machine_alone_says_so_in_one_sentence(name):
    with pytest.raises(UsageError) as refused:
        choose_hives(find(name), ["eu1"], Context({"OVERMIND_HOME": "/nowhere"}))
    assert refused.value.message.startswith(f"{name} can't be used with -H: ")
    assert refused.value.message.endswith(("overmind run -H HIVE", f"overmind {name}.", "."))
    assert "\n" not in refused.value.message


def test_every_other_command_is_done_there_and_nothing_of_it_here(reached, tmp_path):
    there = reached.home("eu1")
    there.mission("sleep 600", "--name", "api")

    def asked(name):
        words = example(name)
        done = reached.om("-H", "eu1", *words, cwd=str(tmp_path))
        assert done.returncode in {0, 1, 2}, (words, done)
        assert "Traceback" not in done.stderr, (words, done)
        assert "internal" not in done.stderr, (words, done)
        if done.returncode:
            said = done.stderr.partition(": ")[2]
            assert "eu1" in said or any(one in said for one in HERE_FIRST), (words, done)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(asked, THERE)) == [None] * len(THERE)
    watched = reached.om.popen("monitor", "-H", "eu1")
    assert "Daemon:   running" in watched.stdout.readline()
    watched.kill()
    watched.communicate()
    assert "Daemon stopped on eu1" in reached("shutdown", "-y", "-H", "eu1")
    assert not os.path.exists(os.path.join(reached.om.home, "overmind.sock")), "no daemon was ever needed here"
    assert "daemon_not_running" in there("status").stderr, "it was that of the hive"


ODD = {
    "ps": [{"id": "00c0ffee", "name": "x"}], "top": [7], "inbox": [{"question": 1}], "cost": {"a": 1}, "events": [],
}  # fmt: skip


def test_a_hive_that_answers_nonsense_is_told_in_one_sentence(hives, tmp_path):
    name_odd_hive(hives.om, tmp_path, ODD)
    lines = ("ps", "top --once", "inbox", "logs x", "stop x", "rm x", "restart x", "send x hi", "changes x", "merge x",
             "board", "queue", "quest list", "worktrees", "health", "status")  # fmt: skip
    for line in lines:
        done = hives.om(*line.split(), "-H", "odd")
        assert done.returncode == 1, line
        assert (
            done.stderr == "Error: internal: odd: its answers make no sense here. Install the same overmind on both\n"
        )


@pytest.mark.parametrize("words", [["ps"], ["ps", "--wide"], ["top", "--once"], ["inbox"], ["cost"], ["logs"]])
def test_a_hive_that_answers_nonsense_hides_no_other(hives, tmp_path, words):
    name_odd_hive(hives.om, tmp_path, ODD)
    hives.add("eu1")
    mission = hives.home("eu1").mission("echo here; sleep 600", "--name", "api")
    eventually(lambda: "here" in hives.home("eu1").ok("logs", mission))
    done = hives.om(*words, "-H", "odd,eu1")
    assert done.returncode == 1
    assert f"Error: internal: odd: {SENTENCE}\n" in done.stderr
    shown = {"ps": mission, "top": mission, "logs": "here"}
    assert shown.get(words[0], "") in done.stdout


def test_a_hive_can_not_say_to_be_another_one():
    (row,) = with_hive(Gathered({"odd": [{"id": "x", "hive": LOCAL}]}, {}))
    assert list(row.items()) == [("hive", "odd"), ("id", "x")]


def test_what_another_machine_says_of_itself_is_harmless_where_a_client_tells_it(capsys):
    hive = Hive("eu1", ["false"], config="")
    Context({}).client()._notify(hive.older("0.1.0\x1b]0;owned\x07\u202e"))
    assert capsys.readouterr().err == (
        f"eu1: client newer than daemon ({VERSION}, 0.1.0\\x1b]0;owned\\x07\\u202e)."
        " On that machine: overmind start --replace\n"
    )
