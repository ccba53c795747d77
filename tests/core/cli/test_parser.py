"""Words become arguments as the contract says, and mistakes are told in our words."""

from __future__ import annotations

import re
import time

import pytest

from overmind_core.cli.command import COMMANDS, FORMAT, JSON, MODULES, find
from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_core.cli.parser import parse, split_rest
from overmind_core.cli.quick_arguments import parse_flags
from overmind_core.errors import UsageError
from tests.kit.cases import each, tabled

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


@tabled(("words", "options", "command"), SPLITS)
def test_the_command_begins_at_the_first_word_that_is_no_option(words, options, command):
    assert split_rest(RUN.options, words) == (options, command)


USAGE = [
    ("run", ["--unknown", "ls"], "Unknown option --unknown"),
    ("run", ["--nam", "x", "ls"], "Did you mean --name"),
    ("run", ["--max-restarts", "many", "ls"], "'many' is not a whole number"),
    ("logs", ["--tail", "-1", "api"], "'-1' is not a whole number of 0 or more"),
    ("timeline", ["x", "--limit", "many"], "'many' is not a whole number of 1 or more"),
    ("timeline", ["x", "--limit", "0"], "'0' is not a whole number of 1 or more"),
    *(
        ("queue slots", [word], f"n: {word!r} is not a whole number from 1 to 1000. See: overmind queue slots --help")
        for word in ("many", "0", "1001", "2.5", "")
    ),
    ("run", ["--max-restarts", "-1", "ls"], "--max-restarts"),
    ("run", ["--grace", "soon", "ls"], "'soon' is not a duration"),
    ("run", ["--timeout", "5x", "ls"], "'5x' is not a duration"),
    ("run", ["--restart", "sometimes", "ls"], "'sometimes'"),
    ("run", ["--type", "agent", "ls"], "'agent'"),
    ("run", ["--size", "80", "ls"], "'80' is not a size"),
    ("run", ["--label", "team", "ls"], "'team' is not a label"),
    ("run", ["--name"], "--name needs a value"),
    ("freeze", [], "Missing id"),
    ("info", [], "Missing id"),
    ("info", ["a", "b"], "Unexpected argument 'b'"),
    ("version", ["now"], "Unexpected argument 'now'"),
    ("wait", ["a", "--timeout", "x"], "'x' is not a duration"),
    ("signal", ["a"], "Missing NAME"),
    ("signal", ["a", "FOO"], "'FOO' is not a signal"),
    ("stop", ["-1", "api"], "Unknown option -1"),
    ("stop", ["api", "-1"], "Unknown option -1"),
    ("restart", ["-5"], "Unknown option -5"),
    ("info", ["-100"], "Unknown option -100"),
    ("run", ["-5", "ls"], "Unknown option -5"),
    ("ritual create", ["-5", "nightly", "@daily", "true"], "Unknown option -5"),
    ("kill", ["-99", "api"], "'99' is not a signal"),
    ("kill", ["-s", "-9", "api"], "--signal"),
    ("ps", ["--json=yes"], "--json takes no value"),
    ("ps", ["--al"], "Unknown option --al. Did you mean --all? See"),
    ("run", ["--deny", "bash", "ls"], "--deny: unknown tool 'bash'. Did you mean Bash? See"),
    ("ps", ["--status", "foo"], "'foo' is not a status. Choose preparing,"),
    ("ps", ["--label", "=x"], "'=x' is not a label"),
    ("ps", ["-o", "xml"], "'xml' is not known. Choose json, yaml, name or wide"),
    ("info", ["x", "-o", "wide"], "'wide' is not known"),
    ("run", ["--restart", "alway", "ls"], "'alway' is not known. Did you mean always?"),
    ("run", ["--name", "a b", "ls"], "'a b' is not a name"),
    ("run", ["--stop-signal", "FOO", "ls"], "'FOO' is not a signal"),
    ("run", ["--env", "=x", "ls"], "'=x' is not a variable"),
    ("run", ["--allow", "Bash(", "ls"], "'Bash(' is not a rule"),
    ("run", ["--deny", "Bash(", "ls"], "'Bash(' is not a rule"),
    ("update", ["x", "--name", "a/b"], "'a/b' is not a name"),
    ("rename", ["x", "a/b"], "'a/b' is not a name"),
    ("ritual create", ["--tz", "Nowhere", "x", "@daily", "true"], "'Nowhere' is not a time zone"),
    ("events", ["--since", "whenever"], "'whenever' is not a time"),
]


@tabled(("command", "words", "said"), USAGE)
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


@pytest.mark.parametrize(
    ("words", "text", "tags"),
    [
        (["--", "--no-verify", "-x"], ["--no-verify", "-x"], []),
        (["a", "--tag", "b", "--", "-1", "--", "--tag"], ["a", "-1", "--", "--tag"], ["b"]),
    ],
)
def test_behind_two_dashes_all_are_words(words, text, tags):
    args = parse(find("remember"), words)

    assert (args.text, args.tag) == (text, tags)


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
    joined = re.sub(r" \\\n +", " ", shown)
    assert all(example in joined for example in command.examples)
    assert command.examples


ARGPARSE = re.compile("invalid choice|ignored explicit|expected .* argument|unrecognized|choose from")


@tabled(("command", "words", "said"), USAGE)
def test_no_word_of_argparse_reaches_a_person(command, words, said):
    with pytest.raises(UsageError) as raised:
        parse(find(command), words)
    assert not ARGPARSE.search(raised.value.message)


MEANT = [
    ("kill", ["-9", "api"], {"signal": "KILL", "ids": ["api"]}),
    ("kill", ["api", "-KILL"], {"signal": "KILL", "ids": ["api"]}),
    ("kill", ["-SIGHUP", "api"], {"signal": "HUP", "ids": ["api"]}),
    ("kill", ["-s", "15", "api"], {"signal": "TERM", "ids": ["api"]}),
    ("kill", ["-a", "-y"], {"signal": None, "all": True, "yes": True}),
    ("stop", ["-t", "5", "api"], {"grace": "5", "ids": ["api"]}),
    ("stop", ["--time=5", "api"], {"grace": "5"}),
    ("logs", ["-100", "api"], {"tail": 100, "ids": ["api"]}),
    ("logs", ["api", "-f", "-n", "5"], {"tail": 5, "follow": True}),
    ("logs", ["--lines", "5"], {"tail": 5}),
    ("logs", ["-l", "app=web", "-p"], {"label": ["app=web"], "previous": True}),
    ("ps", ["-aq", "-l", "app"], {"label": ["app"], "all": True, "quiet": True}),
    ("ps", ["-o", "json"], {"json": True, "wide": False}),
    ("ps", ["-o", "yaml"], {"json": True, "output": "yaml"}),
    ("ps", ["-o", "wide"], {"json": False, "wide": True}),
    ("ps", ["--format=json"], {"json": True}),
    ("top", ["--no-stream", "api"], {"once": True, "ids": ["api"]}),
    (
        "run",
        ["-d", "-n", "api", "-w", "/tmp", "-l", "a=b", "ls"],
        {"name": "api", "cwd": "/tmp", "label": [("a", "b")]},
    ),
    (
        "run",
        ["--rm", "-it", "python3", "-i"],
        {"rm": True, "interactive": True, "tty": True, "rest": ["python3", "-i"]},
    ),
    ("exec", ["-it", "api", "ls", "-l"], {"id": "api", "rest": ["ls", "-l"], "tty": True}),
    ("attach", ["-t", "api"], {"id": None, "target": "api"}),
    ("screen", ["-p", "-e", "-t", "api"], {"target": "api", "ansi": True}),
    ("apply", ["-f", "x.toml"], {"file": None, "filename": "x.toml"}),
    ("delete", ["--file", "x.toml"], {"plan": None, "filename": "x.toml"}),
    ("rm", ["-f", "api"], {"force": True}),
    ("prune", ["-f"], {"yes": True}),
    ("events", ["--since", "1200"], {"since": (1200, "")}),
]


@tabled(("command", "words", "meant"), MEANT)
def test_words_of_docker_kubectl_and_tmux_mean_what_they_mean_there(command, words, meant):
    args = vars(parse(find(command), words))
    assert {name: args[name] for name in meant} == meant


@tabled("name", COMMANDS)
def test_the_options_of_a_command_have_names_and_values_of_their_own(name):
    command = find(name)
    names = [name for one in command.options for name in one.names]
    values = [one.attribute for one in (*command.arguments, *command.options)]
    assert len(set(names)) == len(names)
    assert len(set(values)) == len(values)
    assert JSON not in command.options or "--output" in names
    meant = {name: one.attribute for one in command.options for name in one.names if name in {"-o", "--output"}}
    assert set(meant.values()) <= {FORMAT}, "one meaning in every command"


@pytest.mark.parametrize("columns", ["40", "80", "100", "500", "", "wide"])
@pytest.mark.parametrize("words", [["--help"], ["quest"], ["run", "--help"], ["merge", "--help"], ["mcp", "--help"]])
def test_help_is_as_wide_as_the_terminal_up_to_100_columns(words, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    assert guarded(words, Context({})) == 0
    wide = {"": 80, "wide": 80, "500": 100}.get(columns) or int(columns)
    lines = capsys.readouterr().out.splitlines()
    # a word that can't be parted, such as JSON or the way to a file, may be longer
    assert [line for line in lines if len(line) > wide and len(line.split()) > 2] == []
    assert wide == 40 or max(map(len, lines)) > 0.8 * wide
    assert wide == 40 or max(map(len, lines)) <= wide


def flag_lines():
    """Each command with no word, with each flag alone, and with all of them."""
    for name in MODULES:
        command = find(name)
        flags = [option for option in command.options if not option.takes_value]
        yield name, []
        for option in flags:
            for word in option.names:
                yield name, [word]
        if len(flags) > 1:
            yield name, [option.names[-1] for option in flags]


@each(flag_lines(), lambda line: f"{line[0]} {line[1]}")
def test_flags_alone_mean_what_argparse_makes_of_them(line):
    name, words = line
    command = find(name)
    quick = parse_flags(command, words)
    if quick is not None:
        assert vars(quick) == vars(parse(command, words))


def option_lines():
    """Each option that takes a word, with words of many forms."""
    for name in MODULES:
        command = find(name)
        for option in command.options:
            if option.takes_value:
                choices = [str(one) for one in option.settings.get("choices", ())]  # type: ignore[attr-defined]
                for word in ("5", "5m", "4G", "k=v", "a", "", "owner", "14:30", "[", *choices):
                    yield name, [option.names[-1], word]


@each(option_lines(), lambda line: f"{line[0]} {line[1]}")
def test_an_option_with_a_word_means_what_argparse_makes_of_it(line):
    name, words = line
    command = find(name)
    with pytest.MonkeyPatch.context() as patch:  # both read the same moment
        patch.setattr(time, "time", lambda: 1.8e9)
        quick = parse_flags(command, words)
        if quick is not None:
            assert vars(quick) == vars(parse(command, words))


@tabled(
    "words",
    [
        ["-h"],
        ["--help"],
        ["--al"],
        ["--all=1"],
        ["-aq"],
        ["api"],
        ["--status", "crashed"],
        ["-o", "wide"],
        ["--limit"],
        ["--"],
        ["-1"],
        [""],
    ],
)
def test_anything_but_flags_and_single_options_is_left_to_argparse(words):
    assert parse_flags(find("ps"), words) is None


@tabled("name", ["attach", "logs", "run", "kill", "send", "exec"])
def test_a_command_that_needs_more_is_left_to_argparse(name):
    command = find(name)
    required = [one for one in command.arguments if one.is_required]
    assert (parse_flags(command, []) is None) == bool(required or command.rest or command.rewrite)


def test_a_list_among_the_arguments_is_nobody_elses():
    one, another = (vars(parse_flags(find("ps"), []))["status"] for _ in range(2))
    assert one == another == []
    assert one is not another
