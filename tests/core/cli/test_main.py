"""The command line as a whole, as far as it needs no daemon."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any, cast

import pytest

from overmind_core.cli.command import ALIASES, COMMANDS, GROUPS, find
from overmind_core.cli.context import Context
from overmind_core.cli.daemon import exec_tui
from overmind_core.cli.headless import commands
from overmind_core.cli.main import guarded
from overmind_core.cli.synonyms import INSTEAD, OPTIONS
from overmind_core.errors import CODES, OvermindError, UsageError
from overmind_core.version import VERSION
from tests.kit.cases import tabled

FAILING = [
    (["nosuch"], 2, "Error: unknown_command: Unknown command 'nosuch'."),
    (["pss"], 2, "Did you mean ps?"),
    (["quest", "--json", "nosuch"], 2, "Unknown command 'quest'"),
    (["--nosuch"], 2, "Error: invalid: Unknown option --nosuch"),
    (["run"], 2, "Error: empty_command: Missing command"),
    (["run", ""], 2, "Error: empty_command: Missing command"),
    (["run", "  "], 2, "Error: empty_command: Missing command"),
    (["run", "--", ""], 2, "Error: empty_command: Missing command"),
    (["run", "--name", "x"], 2, "Error: empty_command: Missing command"),
    (["run", "--bogus", "true"], 2, "Error: invalid: Unknown option --bogus"),
    (["run", "--agent", "claude"], 2, "Unknown option --agent. Did you mean --provider? See: overmind run --help"),
    (["wait", "x", "--time", "3"], 2, "Did you mean --timeout?"),
    (["ps", "--filter", "a=b"], 2, "Did you mean --label?"),
    (["kill"], 2, "Error: invalid: Missing id"),
    (["stop"], 2, "Error: invalid: Missing id"),
    (["stop", "--all", "x"], 2, "not both"),
    (["restart", "--all", "x"], 2, "not both"),
    (["attach"], 2, "Error: invalid: Missing id"),
    (["attach", "x", "-t", "y"], 2, "Give the id once"),
    (["screen"], 2, "Error: invalid: Missing id"),
    (["exec", "x"], 2, "Error: empty_command: Missing command"),
    (["apply"], 2, "Error: invalid: Missing file"),
    (["apply", "x.toml", "-f", "y.toml"], 2, "Give the file once"),
    (["diff"], 2, "Error: invalid: Missing file"),
    (["agents"], 2, "Error: invalid: Missing file"),
    (["run", "--rm", "true"], 2, "--rm needs --wait or -it"),
    (["run", "-d", "--wait", "true"], 2, "--detach and --wait can't be used together"),
    (["run", "-t", "--no-tty", "true"], 2, "--tty and --no-tty can't be used together"),
    (["kill", "-s", "HUP", "--all"], 2, "--signal HUP and --all can't be used together"),
    (["logs", "-p", "-f", "x"], 2, "--previous and --follow can't be used together"),
    (["--home"], 2, "--home needs a folder"),
    (["cp", "a", "b"], 2, "overmind info ID"),
    (["get", "missions"], 2, "To list missions: overmind ps; to see one: overmind info ID"),
    (["config", "view"], 2, "Settings are in config.toml"),
    (["restart"], 2, "Error: invalid: Missing id"),
    (["kill", "--all", "x"], 2, "not both"),
    (["update", "x"], 2, "Nothing to change"),
    (["ps"], 1, "Error: daemon_not_running: Daemon not running. Start with: overmind start"),
    (["info", "x"], 1, "Error: daemon_not_running: "),
    (["wait", "x"], 1, "Error: daemon_not_running: "),
    (["events"], 1, "Error: daemon_not_running: "),
    (["run", "--env-file", "/nosuch.env", "true"], 1, "Error: invalid: --env-file /nosuch.env: No such file"),
]


@pytest.fixture
def context(tmp_path):
    return Context({"OVERMIND_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)})


@pytest.mark.parametrize(("words", "status", "said"), FAILING)
def test_a_failure_is_told_on_stderr_and_starts_nothing(words, status, said, context, capsys, tmp_path):
    assert guarded(words, context) == status

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Error: ")
    assert said in shown.err
    assert not (tmp_path / "home").exists()


@tabled("word", INSTEAD)
def test_a_synonym_names_commands_that_there_are_and_is_none_itself(word):
    assert word not in {*COMMANDS, *ALIASES}
    named = [line.split("overmind ")[1:] for line in INSTEAD[word].split("; ")]
    for one in (words for line in named for words in line):
        assert one.split()[0] in {name.split()[0] for name in COMMANDS}, one


def test_a_synonym_of_an_option_names_options_that_there_are_and_is_none_of_their_commands():
    taken = [{name for one in find(command).options for name in one.names} for command in COMMANDS]
    for word, meant in OPTIONS.items():
        for option in meant:
            assert any(option in names and word not in names for names in taken), (word, option)


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_command_itself_and_stands_in_its_help(alias, capsys):
    assert alias not in COMMANDS
    assert guarded([*alias.split(), "--help"], Context({})) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: overmind {ALIASES[alias]} ")
    assert f"overmind {alias}" in shown


def test_home_may_be_named_before_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for words in (["--home", "here"], ["--home=here"], ["--home", "elsewhere", "--home", str(tmp_path / "here")]):
        context = Context({"OVERMIND_HOME": str(tmp_path / "other")})
        assert guarded([*words, "ps"], context) == 1
        assert context.home.root == context.environ["OVERMIND_HOME"] == str(tmp_path / "here")
        assert "daemon_not_running" in capsys.readouterr().err


def test_home_before_a_headless_run_is_that_of_the_run(tmp_path, monkeypatch):
    given = []

    def headless(words, _):
        given.append(words)
        return 0

    monkeypatch.setattr(commands, "headless", headless)
    assert guarded(["--home", str(tmp_path), "--headless", "run", "true"], Context({})) == 0
    assert given == [[f"--home={tmp_path}", "run", "true"]]


@pytest.mark.parametrize("words", [["quest"], ["quest", "--help"], ["help", "quest"]])
def test_a_word_with_which_several_commands_begin_lists_them(words, capsys):
    assert guarded(words, Context({})) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: overmind quest COMMAND")
    assert "  quest cancel  cancel quests" in shown


@pytest.mark.parametrize(("word", "meant"), [("hvie", "hive"), ("quets", "quest or queue"), ("swram", "swarm")])
def test_the_first_of_two_words_may_be_wrong(word, meant, capsys):
    assert guarded([word, "list"], Context({})) == 2
    assert f"Unknown command {word!r}. Did you mean {meant}? See" in capsys.readouterr().err


def test_the_second_word_of_a_command_may_be_wrong(capsys):
    assert guarded(["quest", "lsit", "--json"], Context({})) == 2
    assert "Unknown command 'quest lsit'. Did you mean quest list" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["claude"], ["claude", "--help"], ["help", "claude"]])
def test_half_of_a_name_says_how_it_goes_on(words, context, capsys):
    assert guarded(words, context) == 0
    assert capsys.readouterr().out.startswith("usage: overmind claude run")


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_the_overview_names_every_command(words, context, capsys):
    assert guarded(words, context) == 0

    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("word", ["--version", "-v", "-V"])
def test_the_version_is_printed(word, context, capsys):
    assert guarded([word], context) == 0
    assert capsys.readouterr().out == f"overmind {VERSION}\n"


def test_shutdown_of_nothing_succeeds(context, capsys):
    assert guarded(["shutdown"], context) == 0
    assert "not running" in capsys.readouterr().out


@tabled("code", CODES)
def test_every_code_has_a_sentence_and_an_exit_status(code):
    error = OvermindError(code)

    assert error.message
    assert error.exit_status in {0, 1, 2, 124}
    assert (error.exit_status == 0) == (code == "not_attached")


FORBIDDEN = (
    "asyncio",
    "dataclasses",
    "importlib.metadata",
    "locale",
    "msgspec",
    "pathlib",
    "psutil",
    "selectors",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "textual",
    "typing",
)
LOOK = """
import os, sys
before = set(sys.modules)
os._exit = lambda status: print(status, *sorted(set(sys.modules) - before), file=sys.stderr)
sys.argv = ["overmind", *sys.argv[1:]]
from overmind_core.cli.main import main
main()
"""


def _imported(words, tmp_path):
    """The exit status, and the modules that the command line has loaded at its end."""
    looked = subprocess.run(
        [sys.executable, "-c", LOOK, *words],
        env={"OVERMIND_HOME": str(tmp_path / "home"), "PYTHONPATH": ":".join(sys.path), "LANG": "en_US.UTF-8"},
        capture_output=True,
        text=True,
    )
    status, *modules = looked.stderr.splitlines()[-1].split()
    return status, set(modules)


FOR_HELP = {
    "overmind_core.cli.help",
    "overmind_core.domain.operation",
    "overmind_core.domain.operations",
}
"""All that help loads and `ps` does not."""


def test_help_imports_nothing_that_ps_does_not(tmp_path):
    (tmp_path / "home").write_text("in the way of a home, so that no daemon starts")
    _, for_ps = _imported(["ps"], tmp_path)
    for words in (["--help"], ["help"], ["quest"], ["ps", "--help"]):
        status, modules = _imported(words, tmp_path)
        assert (status, modules - for_ps) == ("0", FOR_HELP), words
    assert not {find(name).run.__module__ for name in COMMANDS} & _imported(["--help"], tmp_path)[1]


HEAVY = {
    "asyncio", "dataclasses", "tomllib", "wcwidth", "overmind_core.blueprint_file.read",
    "overmind_core.logs.transcript", "overmind_core.terminal.screen",
}  # fmt: skip
CHECKING = {"demo", "doctor", "output", "service"}
"""Commands whose table needs some of that."""
ALL_OF_THEM = f"""
import sys
from overmind_core.cli.command import COMMANDS, find
for name in COMMANDS:
    if name not in {CHECKING!r}:
        find(name)
print(*sys.modules)
"""


def test_the_help_of_no_verb_loads_what_only_its_work_needs():
    looked = subprocess.run(
        [sys.executable, "-c", ALL_OF_THEM],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(looked.stdout.split())


@pytest.mark.parametrize("words", [["ps"], ["run", "true"], ["stop", "x"], ["info", "x"], ["status"]])
def test_the_start_imports_nothing_heavy(words, tmp_path):
    (tmp_path / "home").write_text("in the way of a home, so that no daemon starts")

    status, modules = _imported(words, tmp_path)
    assert status == "1"
    assert not set(FORBIDDEN) & modules


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["quest", "--json", "why", "--help"], ["quest", "why", "--help"]),
        (["spec", "--json", "--nosuch", "list"], ["spec", "list", "--json", "--nosuch"]),
        (["quest", "--spec", "carts", "list", "--nosuch"], ["quest", "list", "--spec", "carts", "--nosuch"]),
        (["queue", "--json", "pause", "now"], ["queue", "--json", "pause", "now"]),
    ],
)
def test_options_may_stand_between_the_words_of_a_command_s_name(words, same, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OVERMIND_HOME", str(tmp_path))

    def told(given):
        status = guarded(given, Context())
        return status, capsys.readouterr()

    assert told(words) == told(same)


def test_a_terminal_that_can_do_nothing_is_told_by_its_name(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(UsageError, match="TERM=dumb says that this terminal can't move its cursor"):
        exec_tui(cast("Any", None), [])


def test_the_commands_of_a_noun_stand_together_in_one_group_of_the_help():
    places = [(word.partition(" ")[0], title) for title, names in GROUPS.items() for word in names]
    beside = [noun for noun, _ in itertools.groupby(places)]
    assert len(beside) == len({noun for noun, _ in beside})


def test_the_group_of_the_swarm_has_commands_of_its_nouns_alone():
    nouns = {name.partition(" ")[0] for name in GROUPS["Share work with a team's machines"]}
    assert nouns == {"swarm", "fleet", "lineage", "pool", "vault", "context"}
