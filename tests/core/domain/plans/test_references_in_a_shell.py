"""A real shell prints a value as it is, whatever stands around the reference, and runs nothing of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.domain.plans.references import bind_shell, check_shell
from tests.kit import torture

BASH = shutil.which("bash")
SHELLS = [["/bin/sh"], *([[BASH, "--posix"]] if BASH else [])]
"""`sh` is dash on some machines and bash on others: the text must mean the same in both."""
EVIL = ["$(: >EVIL)", "`: >EVIL`", "'; : >EVIL; '", '"; : >EVIL; "', "a[$(: >EVIL)]", "\n: >EVIL\n", "} ) ; : >EVIL #"]


class Word(NamedTuple):
    """A part of a shell's text with references, and what the shell makes of it."""

    written: str
    printed: str


def joined(words):
    return Word("".join(one.written for one in words), "".join(one.printed for one in words))


def around(begin, end, *, printed="{}"):
    return lambda word: Word(begin + word.written + end, printed.format(word.printed) if printed else word.printed)


characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
values = st.one_of(st.sampled_from([*EVIL, "", "*", " a  b ", "-n", "~", "\\", "$x", "a\n\n"]), st.text(characters))
plain = st.sampled_from(["a", "é", "=", "/", "-"]).map(lambda text: Word(text, text))
single = st.text(st.sampled_from('a"$(`\\ {}#\n'), max_size=6).map(
    lambda text: Word("'" + text.replace("${", "$${") + "'", text)
)
dollar = Word("\\$.", "$.")
"""Never directly before a reference: `$${` is a plain `${`."""
escaped = st.sampled_from([dollar, *(Word("\\" + text, text) for text in "'\"`\\")])
quoted_escape = st.sampled_from([dollar, *(Word("\\" + text, text) for text in '"`\\')])
apostrophe = st.just(Word("'", "'"))


def substitutions(word):
    """What stands in double quotes and runs a command; a dot saves the newlines at the end of what it prints."""
    return st.one_of(
        word.map(lambda one: Word(f"$(printf '%s.' {one.written})", one.printed + ".")),
        word.map(lambda one: Word(f"$(case {one.written} in {one.written}) echo y;; (b) ;; esac)", "y")),
        word.map(lambda one: Word(f"$( # it's )\nprintf '%s.' {one.written})", one.printed + ".")),
        word.map(
            lambda one: Word(f"$(cat <<'E'\n'\"$( `)\nE\nprintf '%s.' {one.written})", f"'\"$( `)\n{one.printed}.")
        ),
        word.map(lambda one: Word(f"$( (printf '%s.' {one.written}) | cat)", one.printed + ".")),
    )


def parameters(inner):
    """What stands in double quotes and expands a variable; `nothing` is not set."""
    return st.one_of(
        inner.map(lambda one: Word(f"${{nothing:-{one.written}}}", one.printed)),
        inner.map(lambda one: Word(f'${{nothing:-"{one.written}"}}', one.printed)),
        inner.map(lambda one: Word(f"${{nothing#{one.written}}}", "")),
        inner.map(lambda one: Word(f"${{#nothing}}{one.written}", "0" + one.printed)),
    )


def words(reference):
    """Words with references of a text, of any depth."""

    def deeper(word):
        flat = st.one_of(reference, plain, quoted_escape, apostrophe)
        inner = st.one_of(flat, substitutions(word), parameters(reference))
        quoted = st.lists(inner, max_size=3).map(joined).map(lambda one: Word(f'"{one.written}"', one.printed))
        return st.lists(st.one_of(quoted, reference, plain), min_size=1, max_size=3).map(joined)

    return st.recursive(st.one_of(reference, plain, single, escaped), deeper, max_leaves=6)


@st.composite
def commands(draw):
    """Values, and words that mean some of them."""
    known = {f"vars.v{number}": value for number, value in enumerate(draw(st.lists(values, min_size=1, max_size=3)))}
    reference = st.sampled_from([Word(f"${{{key}}}", value) for key, value in known.items()])
    return known, draw(st.lists(words(reference), min_size=1, max_size=10))


def run(shell, text, environment, folder):
    return subprocess.run(
        [*shell, "-c", text],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
    )


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: os.path.basename(shell[0]))
@settings(max_examples=torture.examples(600))
@given(commands())
@example(({f"vars.v{number}": evil for number, evil in enumerate(EVIL)}, [Word("${vars.v4}", EVIL[4])]))
def test_a_shell_prints_every_value_as_it_is(shell, made):
    known, arguments = made
    text = "printf '%s\\0' " + " ".join(one.written for one in arguments)
    assert check_shell(text) == []
    bound, environment = bind_shell(text, known)
    with tempfile.TemporaryDirectory() as folder:
        done = run(shell, bound, environment, folder)
        assert (done.stderr, os.listdir(folder)) == (b"", [])
    assert done.stdout.decode().split("\0") == [*(one.printed for one in arguments), ""], bound


pieces = [
    "'",
    '"',
    "`",
    "$(",
    "((",
    "$((",
    "))",
    ")",
    "${n:-",
    "${n#",
    "${n:",
    "}",
    "\\",
    "\n",
    "#",
    " ",
    ";",
    "|",
    "=",
]
pieces += [
    "<<E",
    "E",
    "case a in ",
    "a)",
    ";; ",
    "esac",
    "$'",
    "$[",
    "]",
    "[[ ",
    " ]]",
    "[",
    "$${",
    "<",
    ">",
    "n",
    "1",
    "+",
]
REFERENCE = "${vars.x}"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: os.path.basename(shell[0]))
@settings(max_examples=torture.examples(600))
@given(st.lists(st.sampled_from([*pieces, *[REFERENCE] * 20]), min_size=3, max_size=16), st.sampled_from(EVIL))
@example(["$((", REFERENCE, "))"], EVIL[4])
@example(["${n:", REFERENCE, "}"], EVIL[4])
def test_no_shell_runs_what_a_value_says_however_odd_the_text(shell, written, evil):
    text = "".join(written)
    if check_shell(text):
        return
    bound, environment = bind_shell(text, {"vars.x": evil})
    with tempfile.TemporaryDirectory() as folder:
        run(shell, bound, {**environment, "PATH": "/nowhere"}, folder)
        assert "EVIL" not in os.listdir(folder), bound
