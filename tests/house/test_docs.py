"""What the pages say is what the program does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import takewhile

from overmind_core.cli.command import COMMANDS, find, names_place, split_hives
from overmind_core.cli.parser import parse
from overmind_core.daemon.routes import TABLE as API
from overmind_core.domain.missions.transitions import TABLE
from overmind_core.domain.quests import life
from overmind_core.errors import OvermindError
from scripts.reference.__main__ import PAGES, outdated
from tests.kit.cases import each, tabled
from tests.kit.overmind import REPOSITORY


def pages() -> list[str]:
    written = ["README.md"]
    for folder, _, names in os.walk(os.path.join(REPOSITORY, "docs")):
        written += [os.path.relpath(os.path.join(folder, name), REPOSITORY) for name in names if name.endswith(".md")]
    return sorted(written)


def read(path: str) -> str:
    with open(os.path.join(REPOSITORY, path), encoding="utf-8") as file:
        return file.read()


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_the_generated_pages_are_current():
    finished = subprocess.run(
        [os.path.join(REPOSITORY, "scripts", "generate-docs"), "--check"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert (finished.returncode, finished.stdout) == (0, ""), "run: make docs"


def test_a_page_that_says_something_else_is_noticed(monkeypatch):
    for page in list(PAGES)[1:]:
        monkeypatch.delitem(PAGES, page)
    monkeypatch.setitem(PAGES, "docs/missing.md", lambda: "text")
    assert outdated() == {"docs/missing.md": "text"}


@each(COMMANDS, str)
def test_every_command_has_a_section(command):
    assert f"\n### {command}\n" in read("docs/commands.md")


@each(API, str)
def test_every_request_has_a_section(command):
    assert f"\n### {command}\n" in read("docs/api.md")


def test_the_drawing_of_the_life_is_its_table():
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", read("docs/lifecycle.md"), re.MULTILINE)
    assert sorted(drawn) == sorted(
        (before, after, step) for before, row in TABLE.items() for step, after in row.items()
    )


def test_the_drawing_of_a_quests_life_is_its_table():
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", read("docs/quests.md"), re.MULTILINE)
    assert sorted(drawn) == sorted(
        (before, after, event) for before, row in life.TABLE.items() for event, after in row.items()
    )


def typed(page: str) -> list[list[str]]:
    """The words of each command in a page's blocks; of those with a pipe or the like what stands before it."""
    found = []
    for block in re.findall(r"^```(?:sh|console)\n(.*?)^```", read(page), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            shown = re.sub(r"\$\(.*?\)", "X", line.removeprefix("$ "))
            if shown.startswith("overmind ") and shown.count("'") % 2 == shown.count('"') % 2 == 0:
                reader = shlex.shlex(shown, posix=True, punctuation_chars="|&;<>")
                reader.whitespace_split = True
                found.append(list(takewhile(lambda word: word[0:1] not in set("|&;<>"), reader))[1:])
    return found


def refusal(words: list[str]) -> str | None:
    """What is said of words that are no command; they are parsed, and nothing is run."""
    while words and names_place(words[0]):
        words = words[2:]
    name = next((" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in COMMANDS), None)
    if name is None:
        return None  # --headless has a parser of its own, and the page of commands explains families and aliases
    command, rest = find(name), words[len(name.split()) :]
    try:
        parse(command, split_hives(command, rest)[0] if any(map(names_place, rest)) else rest)
    except OvermindError as error:
        return error.message
    except SystemExit:
        pass  # it asks for help
    return None


def test_every_command_of_a_page_is_one_that_the_program_takes():
    commands = [(page, words) for page in pages() for words in typed(page)]
    assert len(commands) > 500, "the pages are full of them"
    refused = [(page, words, said) for page, words in commands if (said := refusal(words)) is not None]
    assert refused == []


def leads_nowhere(page: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    there = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if not os.path.exists(os.path.join(REPOSITORY, there)):
        return True
    return bool(anchor) and anchor not in anchors(read(there))


@tabled("page", pages())
def test_every_relative_link_leads_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", read(page))
    relative = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in relative if leads_nowhere(page, target)] == []


def test_the_manual_names_every_command_and_option_and_groff_reads_it():
    manual = read("docs/overmind.1").replace("\\-", "-")
    for name in COMMANDS:
        assert f"\n.SS {name}\n" in manual
        assert [one for option in find(name).options for one in option.names if rf"\fB{one}\fR" not in manual] == []
    if shutil.which("groff") is not None:
        judged = subprocess.run(
            ["groff", "-man", "-ww", "-z", "docs/overmind.1"], cwd=REPOSITORY, capture_output=True, text=True
        )
        assert (judged.returncode, judged.stderr) == (0, "")


def test_the_wheel_installs_the_manual():
    with open(os.path.join(REPOSITORY, "pyproject.toml"), "rb") as file:
        shared = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"docs/overmind.1": "share/man/man1/overmind.1"}
