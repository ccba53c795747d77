"""Words become arguments as the contract says, and mistakes are told in our words."""

from __future__ import annotations

import pytest

from overmind_core.cli.command import COMMANDS, find
from overmind_core.cli.parser import parse, split_rest
from overmind_core.errors import UsageError

RUN = find("run")

SPLITS = [
    (["ls"], [], ["ls"]),
    (["ls", "-la"], [], ["ls", "-la"]),
    (["--name", "x", "ls", "--name", "y"], ["--name", "x"], ["ls", "--name", "y"]),
    (["--name=x", "ls", "--", "z"], ["--name=x"], ["ls", "--", "z"]),
    (["--", "--name", "x"], [], ["--name", "x"]),
    (["--wait", "--", "ls"], ["--wait"], ["ls"]),
    (["--wait", "ls", "-y"], ["--wait"], ["ls", "-y"]),
    (["-e", "A=1", "-e", "B=2", "env"], ["-e", "A=1", "-e", "B=2"], ["env"]),
    (["--env", "--", "env"], ["--env", "--"], ["env"]),
    (["-", "x"], [], ["-", "x"]),
    (["--json"], ["--json"], []),
    (["--unknown", "ls"], ["--unknown"], ["ls"]),
    (["--name"], ["--name"], []),
    ([""], [], [""]),
]


@pytest.mark.parametrize(("words", "options", "command"), SPLITS)
def test_the_command_begins_at_the_first_word_that_is_no_option(words, options, command):
    assert split_rest(RUN.options, words) == (options, command)


USAGE = [
    ("run", ["--unknown", "ls"], "Unknown option --unknown"),
    ("run", ["--nam", "x", "ls"], "Did you mean --name"),
    ("run", ["--max-restarts", "many", "ls"], "'many' is not a whole number"),
    ("logs", ["--tail", "-1", "api"], "'-1' is not a whole number from 0 up"),
    ("run", ["--max-restarts", "-1", "ls"], "--max-restarts"),
    ("run", ["--grace", "soon", "ls"], "'soon' is not a duration"),
    ("run", ["--timeout", "5x", "ls"], "'5x' is not a duration"),
    ("run", ["--restart", "sometimes", "ls"], "'sometimes'"),
    ("run", ["--type", "agent", "ls"], "'agent'"),
    ("run", ["--size", "80", "ls"], "'80' is not a size"),
    ("run", ["--label", "team", "ls"], "'team' is not a label"),
    ("run", ["--name"], "expected one argument"),
    ("stop", [], "Missing id"),
    ("info", [], "Missing id"),
    ("info", ["a", "b"], "Unexpected argument 'b'"),
    ("status", ["now"], "Unexpected argument 'now'"),
    ("wait", ["a", "--timeout", "x"], "'x' is not a duration"),
    ("signal", ["a"], "Missing NAME"),
]


@pytest.mark.parametrize(("command", "words", "said"), USAGE)
def test_a_mistake_is_named(command, words, said):
    with pytest.raises(UsageError) as raised:
        parse(find(command), words)

    assert said in raised.value.message
    assert f"overmind {command} --help" in raised.value.message


@pytest.mark.parametrize(
    "words", [["a", "b", "--cascade"], ["--cascade", "a", "b"], ["a", "--cascade", "b"], ["--cascade", "--", "a", "b"]]
)
def test_options_may_stand_anywhere_among_the_ids(words):
    args = parse(find("stop"), words)

    assert (args.ids, args.cascade) == (["a", "b"], True)


def test_options_are_not_abbreviated():
    with pytest.raises(UsageError):
        parse(find("stop"), ["a", "--casc"])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_examples(name, capsys):
    command = find(name)

    with pytest.raises(SystemExit) as raised:
        parse(command, ["--help"])

    shown = capsys.readouterr().out
    assert raised.value.code == 0
    assert shown.startswith(f"usage: overmind {name} [options]")
    assert all(example in shown for example in command.examples)
    assert command.examples
