"""Commands whose every word is known; and that a shell reads them the same way."""

from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.shell.commands import read
from tests.kit.cases import tabled

UNDERSTOOD = [
    ("overmind ps", [["overmind", "ps"]]),
    ("  overmind\tps \n", [["overmind", "ps"]]),
    ("""a 'b c' "d e" f''g""", [["a", "b c", "d e", "fg"]]),
    ("a 'it'\\''s'", [["a", "it's"]]),
    ("""a 'x $HOME `id` \\n "q"' """, [["a", 'x $HOME `id` \\n "q"']]),
    ("""a "it's" --b='c d'""", [["a", "it's", "--b=c d"]]),
    ("a '' b", [["a", "", "b"]]),
    ("a && b || c; d | e\nf", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
    ("a 2>&1", [["a"]]),
    ("a >/dev/null 2>&1 && b 2> /dev/null", [["a"], ["b"]]),
    ("a 'two\nlines'", [["a", "two\nlines"]]),
    ("a b \\\n  c", [["a", "b", "c"]]),
    ("a - <<'EOF'\n$HOME `x` 'y\nEOF", [["a", "-"]]),
    ("a - <<'EOF'\nEOF\n", [["a", "-"]]),
    ("a;", [["a"]]),
    ("", []),
]
NOT_UNDERSTOOD = [
    "a $HOME", "a ${X}", 'a "$X"', "a $(id)", "a `id`", 'a "`id`"', "a *", "a ?", "a [x]", "a {b,c}", "a ~", "a > file",
    "a < file", "a >> file", "a &", "a & b", "(a)", "a #x", "a \\b", 'a "\\$"', "a 'open", 'a "open', "a <<EOF\nx\nEOF",
    "a <<'EOF'\nx\nEOF\nb\nEOF", "a <<'EOF'\nx\n", "a <<'EOF' && b\nx\nEOF", "a <<-'EOF'\nx\nEOF", "a !x", 'a "!x"',
    "a\rb", "a\0b", "a $'x'", "a 3>&1", "a >&2", "a \\\nb\\", "a <(b)", "a 2>/dev/nullx", "é",
]  # fmt: skip


@tabled(("command", "expected"), UNDERSTOOD)
def test_words_and_quotes_are_understood(command, expected):
    plain = read(command)
    assert plain is not None
    assert [list(words) for words in plain.commands] == expected


@tabled("command", NOT_UNDERSTOOD)
def test_what_a_shell_might_read_otherwise_is_not(command):
    assert read(command) is None


SHOW = """
show() { for word in "$@"; do printf '%s\\0' "$word"; done; printf '\\1'; }
a() { show a "$@"; }
"""


@given(
    st.lists(
        st.text(alphabet="ab '\"$`\\-=;|&<>\n#*~!{}()", max_size=8)
        | st.sampled_from(["'x y'", '"x y"', "a\\'b", "--o='v'", "'it'\\''s'", "2>&1", "b c"]),
        max_size=4,
    )
)
def test_a_shell_reads_the_same_words(pieces):
    command = "a " + " ".join(pieces)
    plain = read(command)
    if plain is None or any(words[0] != "a" for words in plain.commands) or "|" in command:
        return
    shell = subprocess.run(["bash", "-c", SHOW + command], capture_output=True, text=True, check=False)
    if shell.returncode == 0:
        read_by_it = [tuple(one.split("\0")[:-1]) for one in shell.stdout.split("\1")[:-1]]
        assert read_by_it == list(plain.commands), command
