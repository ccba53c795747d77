"""Shells that read their commands from standard input, and the texts that simple commands print for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from overmind_core.domain.shell.words import Word

SOURCES = frozenset([".", "source"])
"""What has this shell read commands from a file."""
LATER = frozenset(["at", "batch"])
"""What runs the commands of its standard input later."""
SHELL_WITHOUT_COMMAND = frozenset(
    ["ssh", "autossh", "su", "runuser", "sudo", "doas", "chroot", "unshare", "nsenter", "script", "nix-shell"]
)
"""Programs that start others, and a shell where no other is named."""
PRINTED = "<()"
"""Stands for the file in which another command's output is."""
_INPUTS = frozenset(["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", PRINTED])
"""Files that are the standard input, or what another command prints."""
_PASS_ON = frozenset(["cat", "tee"])
"""What prints what it is given, where it names no file to print."""
_FORMAT = re.compile(r"%(?P<sign>%|[-+ #0]*[0-9]*(?:\.[0-9]+)?(?P<kind>[A-Za-z]))")
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}
_ESCAPE = re.compile(r"\\.?", re.DOTALL)
_ECHO_OPTION = re.compile(r"-[neE]+")


def reads_input(program: str, words: Sequence[Word], *, is_shell: bool) -> bool:
    """Whether a program reads commands from its standard input.

    Args:
        program: Its name.
        words: Its name and the words behind it.
        is_shell: It is a shell.
    """
    if not is_shell and program not in SOURCES:
        return program in LATER
    options = list(takewhile(lambda word: word.text.startswith(("-", "+")) and word.text not in _INPUTS, words[1:]))
    letters = "".join(word.text for word in options if is_shell and not word.text.startswith("--"))
    if "s" in letters or "c" in letters:
        return "c" not in letters
    following = words[len(options) + 1 : len(options) + 2]
    return following[0].text in _INPUTS if following else is_shell


def passes_on(words: Sequence[Word]) -> bool:
    """Whether a command prints what it reads, and nothing else."""
    if not words or words[0].text not in _PASS_ON:
        return False
    return words[0].text == "tee" or all(word.text.startswith("-") for word in words[1:])


def printed(words: Sequence[Word]) -> str | None:
    """The text that an `echo` or `printf` prints, in which what only the shell knows stands as written.

    None: it is another program, or nobody knows what it prints.
    """
    if not words:
        return None
    program, *rest = words
    if program.text == "echo":
        while rest and _ECHO_OPTION.fullmatch(rest[0].text):
            del rest[0]
        return _unescaped(" ".join(_as_written(word) for word in rest))
    if program.text == "printf" and rest[:1] == [Word("--")]:
        del rest[0]
    if program.text != "printf" or not rest or not rest[0].is_known:
        return None
    return _formatted(rest[0].text, [_as_written(word) for word in rest[1:]])


def _as_written(word: Word) -> str:
    return word.text if word.is_known else word.text.strip('"')


def _formatted(pattern: str, values: list[str]) -> str | None:
    """What `printf` makes of its words; the pattern is used again while there are more of them."""
    text = _unescaped(pattern)
    if text is None:
        return None
    slots = sum(found["sign"] != "%" for found in _FORMAT.finditer(text))
    rounds = -(-len(values) // slots) if slots and values else 1
    left = iter(values)
    whole = "".join(
        _FORMAT.sub(lambda found: "%" if found["sign"] == "%" else next(left, ""), text) for _ in range(rounds)
    )
    return _unescaped(whole) if "%b" in text else whole


def _unescaped(text: str) -> str | None:
    r"""The text with `\n` as lines; None: it has other signs that stand for characters."""
    found = _ESCAPE.findall(text)
    if not all(one in _ESCAPES for one in found):
        return None
    return _ESCAPE.sub(lambda one: _ESCAPES[one[0]], text)
