"""What the README promises in the first minutes is what happens."""

from __future__ import annotations

import itertools
import re
import shlex

from overmind_core.cli.command import find, split_hives
from overmind_core.cli.main import _named, _take_place
from overmind_core.cli.parser import parse
from tests.house.test_docs import pages, read
from tests.kit.cases import tabled


def commands(text):
    """The command lines of `overmind` in its console blocks, without remarks and what the shell does to them."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ overmind")]
    return [_words(line)[1:] for line in lines]


def _words(line):
    """Up to what another program gets."""
    substituted = re.sub(r"\$\([^)]*\)", "name", line)
    lexer = shlex.shlex(substituted, posix=True, punctuation_chars="|<>;&")
    lexer.whitespace_split = True
    return list(itertools.takewhile(lambda word: not set(word) <= set("|<>;&"), lexer))


@tabled("page", sorted(pages()))
def test_every_command_line_can_be_given(page):
    for words in commands(read(page)):
        if words and words[0] != "--headless":  # those are a table of their own: tests/headless
            name, rest = _named(_take_place(words)[0])
            parse(find(name), split_hives(find(name), rest)[0])


def test_the_first_picture_is_of_the_demonstration():
    assert re.findall(r"!\[[^\]]+\]\((.*?)\)", read("README.md"))[0] == "screenshots/demo.png"
