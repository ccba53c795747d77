"""`-H` and all commands of the table: each is done there, or says in one sentence that it is for this machine alone."""

from __future__ import annotations

import shlex

import pytest

from overmind_core.cli import main
from overmind_core.cli.command import MODULES, find
from overmind_core.cli.context import Context
from overmind_core.cli.hives.elsewhere import choose_hives
from overmind_core.cli.hives.gather import Gathered
from overmind_core.cli.hives.merged import with_hive
from overmind_core.cli.hives.only_here import is_only_here
from overmind_core.client.hives.hive import Hive
from overmind_core.domain.hives import LOCAL
from overmind_core.errors import UsageError
from overmind_core.version import VERSION

SHELL = {"<", ">", "|", "&&", "$"}
"""What is the shell's in an example."""


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
    if own and len(words) > length and not words[length].startswith("-"):  # `quest add TITLE -H eu1 -- CMD`
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
