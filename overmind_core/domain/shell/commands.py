"""A shell command taken apart into its simple commands, so that a rule about one program says nothing about the next.

Three readings. `parts` is for allowing: exact, and None for whatever it doesn't understand. `suspects` is for denying:
generous, it also looks behind `sudo`, into `sh -c '…'`, and into what it doesn't understand; of a word that only the
shell can know it says so. `read` is the strictest:
words and quotes, no variable, substitution, pattern or file; each word is known for certain, so that options can be
judged, and whatever a shell might read in another way is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from overmind_core.domain.shell.pieces import ROUGH, Piece, pieces
from overmind_core.domain.shell.words import BLANK, Word, joined, split

MAX_DEPTH = 16
"""Command substitutions, or shells started by shells, within each other; a deeper one is not understood."""

HARMLESS_FILES = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})

CARRIERS = frozenset(
    [
        "sudo",
        "doas",
        "env",
        "command",
        "builtin",
        "exec",
        "nohup",
        "nice",
        "ionice",
        "time",
        "timeout",
        "stdbuf",
        "setsid",
        "xargs",
        "parallel",
        "find",
        "busybox",
        "watch",
        "chroot",
        "flock",
        "script",
        "unshare",
        "strace",
        "ssh",
        "su",
        "runuser",
        "setpriv",
        "taskset",
        "eval",
        "trap",
        "noglob",
        "nocorrect",
    ]
)
"""Programs that start the one named behind their own options."""
CARRIES_NEXT = CARRIERS - {
    "timeout", "parallel", "find", "chroot", "flock", "script", "ssh", "su", "runuser", "setpriv", "taskset", "trap",
}  # fmt: skip
"""Those whose first word that is no option names that program."""
APPENDS = frozenset(["xargs", "parallel"])
"""Those that put words behind the command which only they know."""
MOVERS = frozenset(["cd", "pushd", "popd", "chdir"])
"""What changes the folder of the commands behind it."""
SHELLS = frozenset(["sh", "bash", "dash", "zsh", "ksh", "ash", "fish"])
KEYWORDS = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "while",
        "until",
        "do",
        "for",
        "case",
        "select",
        "in",
        "!",
        "{",
        "}",
        "(",
        ")",
        "[[",
        "function",
        "coproc",
    ]
)

_NO_PROGRAM = frozenset(["for", "case", "select", "[["])
"""Keywords behind which no program stands."""
_VARIABLE = re.compile(r"\$\{?\w")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_NAME = re.compile(r"\{[A-Za-z_]\w*\}")
_WORD = re.compile(r"""[ \t]*((?:[^\s;&|<>()'"`$\\*?\[\]{}~!#]|'[^'\n]*'|"[^"\n$`\\]*")+)(?=[ \t\n;&|<>)]|\Z)""")
_DATA = re.compile(
    r"""\$\([ \t\n]*cat[ \t]*<<(?P<dash>-)?[ \t]*(?:(?P<quote>['"])|\\)(?P<tag>\w+)(?(quote)(?P=quote))[ \t]*\n"""
    r"""(?:(?!(?(dash)\t*)(?P=tag)\n)[^\n\0]*\n)*(?(dash)\t*)(?P=tag)\n[ \t\n]*\)"""
)
"""A text as it is, up to the first line that is the tag alone: how agents write the message of a commit."""
_STDIN_DATA = re.compile(
    r"""<<(?P<dash>-)?[ \t]*(?:(?P<quote>['"])|\\)(?P<tag>\w+)(?(quote)(?P=quote))"""
    r"""(?P<rest>(?=[ \t\n;&|])[ \t\w;&|=,./:@-]*)\n"""
    r"""(?:(?!(?(dash)\t*)(?P=tag)(?:\n|\Z))[^\n\0]*\n)*(?(dash)\t*)(?P=tag)(?=\n|\Z)"""
)
"""The same as standard input, with the plain rest of its line."""
_READS_DATA = {
    ("git", "commit"): frozenset(["-F", "--file"]),
    ("git", "tag"): frozenset(["-F", "--file"]),
    ("gh", "pr"): frozenset(["-F", "--body-file"]),
    ("gh", "issue"): frozenset(["-F", "--body-file"]),
}
"""Commands that take their standard input for a text and hand it to no other program → the options that say so."""
_DIGITS_BEFORE = re.compile(r"(?:^|(?<=[ \t\n]))[0-9]+$")
_UNKNOWN = ("<<", "<(", ">(", "<>")
_DESCRIPTOR = re.compile(r"[0-9]+|-")
"""What a shell takes for one; other digits of Unicode name files."""
_OPERATORS = (*_UNKNOWN, "&>>", "&>", ">>", ">|", ">&", "<&", "<", ">")
_MOST_WORDS = 64
"""Words of one command in which another program's name is looked for."""


class CommandParts(NamedTuple):
    """What a command runs, from left to right, and the files that the shell itself opens for it."""

    commands: tuple[str, ...]
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    fed: frozenset[str] = frozenset()
    """Those of the commands whose standard input is a text that stands in the whole."""


class _NotUnderstood(Exception):
    pass


def parts(command: str) -> CommandParts | None:
    """Its simple commands without redirections, those inside of `$(…)` and backticks too; None: not understood."""
    # In a text no line is continued: joined to another one, the line that ends it would not be seen.
    has_texts = "\\\n" not in command.partition("<")[2]
    scanner = _Scanner(joined(command), has_texts=has_texts)
    try:
        scanner.scan(0, "", 0)
    except _NotUnderstood:
        return None
    return CommandParts(tuple(scanner.commands), tuple(scanner.writes), tuple(scanner.reads), frozenset(scanner.fed))


def has_data(command: str) -> bool:
    """Whether a text stands in it that the shell takes as it is: `$(cat <<'END' …)`."""
    return _DATA.search(command) is not None


def moves(taken: CommandParts) -> bool:
    """Whether relative names in it are relative to another folder than where it begins."""
    return any(word.strip("'\"\\") in MOVERS for command in taken.commands for word in command.split())


class Suspect(NamedTuple):
    """What may be run: as a text that begins with a program's name, and as words, where they could be told apart."""

    text: str
    words: tuple[Word, ...] = ()


def suspects(command: str, depth: int = 0) -> Iterator[Suspect]:
    """Whatever may be run by it."""
    yield Suspect(command.strip(BLANK))
    plain = joined(command)
    taken = parts(command)
    if taken is not None:
        found, is_whole = [Piece(one, tuple(split(one))) for one in taken.commands], True
    else:
        found, is_whole = pieces(plain)
    if not is_whole:
        yield from _roughly(plain, depth)
    for piece in found:
        yield Suspect(piece.text)
        left = _program_first(piece.words)
        if left and (left[0].is_known or not piece.is_text):
            yield from _behind(piece.words, depth)


def _roughly(command: str, depth: int) -> Iterator[Suspect]:
    """What may be run by a command whose quotes or groups do not close."""
    for piece in ROUGH.split(command):
        yield Suspect(piece.strip(BLANK))
        words = split(piece)
        if _may_be_program(words, command):
            yield from _behind(words, depth)


def _may_be_program(words: Sequence[Word], command: str) -> bool:
    """Whether what stands first in a piece of a command that was not understood may be run, and is no piece of text."""
    left = _program_first(words)
    return not left or left[0].is_known or ("<<" not in command and bool(_VARIABLE.match(left[0].text)))


class _Scanner:
    """Reads a command from left to right."""

    def __init__(self, text: str, *, has_texts: bool) -> None:
        self._text = text
        self._has_texts = has_texts
        self._is_fed = False
        """The command that is being read gets a text."""
        self._text_begins, self._text_ends = -1, -1
        self.commands: list[str] = []
        self.writes: list[str] = []
        self.reads: list[str] = []
        self.fed: list[str] = []

    def scan(self, at: int, closing: str, depth: int) -> int:
        """Read up to `closing`; where it ends."""
        if depth > MAX_DEPTH:
            raise _NotUnderstood
        text = self._text
        current: list[str] = []
        while at < len(text):
            character = text[at]
            if character == closing:
                self._finish(current)
                return at + 1
            if character in "<>" or text.startswith("&>", at):
                at = self._redirection(at, current, depth)
            elif character in "\n;&|":
                if text.startswith(";;", at):
                    raise _NotUnderstood
                self._finish(current)
                current = []
                at = self._text_ends if at == self._text_begins else at + 1
            else:
                end = self._piece(at, depth, starts=not current or current[-1][-1:].isspace())
                current.append(text[at:end])
                at = end
        if closing:
            raise _NotUnderstood
        self._finish(current)
        return at

    def _finish(self, current: list[str]) -> None:
        if command := "".join(current).strip(BLANK):
            self.commands.append(command)
        if self._is_fed:
            if not _takes_text(split(command)):
                raise _NotUnderstood
            self.fed.append(command)
            self._is_fed = False

    def _piece(self, at: int, depth: int, *, starts: bool) -> int:
        """The end of the quoted text, the substitution or the character at `at`."""
        character = self._text[at]
        if character == "'":
            return self._find("'", at + 1)
        if character == '"':
            return self._quoted(at + 1, depth)
        if character == "\\":
            return self._escaped(at)
        if character == "$":
            return self._dollar(at, depth)
        if character == "`":
            return self._backticks(at, depth)
        if character in "()" or (character == "#" and starts) or character in "\0\r":
            raise _NotUnderstood
        return at + 1

    def _find(self, character: str, at: int) -> int:
        end = self._text.find(character, at)
        if end < 0:
            raise _NotUnderstood
        return end + 1

    def _escaped(self, at: int) -> int:
        if self._text[at + 1 : at + 2] in {"", "\n"}:
            raise _NotUnderstood
        return at + 2

    def _quoted(self, at: int, depth: int) -> int:
        while at < len(self._text):
            character = self._text[at]
            if character == '"':
                return at + 1
            if character == "\\":
                at = self._escaped(at)
            elif character == "$":
                at = self._dollar(at, depth)
            elif character == "`":
                at = self._backticks(at, depth)
            else:
                at += 1
        raise _NotUnderstood

    def _dollar(self, at: int, depth: int) -> int:
        following = self._text[at + 1 : at + 3]
        if following == "((" or following[:1] in {"'", '"', "["}:
            raise _NotUnderstood
        if following[:1] == "(":
            if self._has_texts and (data := _DATA.match(self._text, at)) is not None:
                self.commands.append("cat")
                return data.end()
            return self.scan(at + 2, ")", depth + 1)
        if following[:1] == "{":
            name = _NAME.match(self._text, at + 1)
            if name is None:
                raise _NotUnderstood
            return name.end()
        return at + 1

    def _backticks(self, at: int, depth: int) -> int:
        end = self._find("`", at + 1)
        inner = _Scanner(self._text[at + 1 : end - 1], has_texts=self._has_texts)
        if "\\" in self._text[at:end]:
            raise _NotUnderstood
        inner.scan(0, "", depth + 1)
        self.commands += inner.commands
        self.writes += inner.writes
        self.reads += inner.reads
        return end

    def _redirection(self, at: int, current: list[str], depth: int) -> int:
        text = self._text
        data = _STDIN_DATA.match(text, at) if self._has_texts and not depth and not self._is_fed else None
        if data is not None and at > self._text_begins:
            self._is_fed = True
            self._text_begins, self._text_ends = data.end("rest"), data.end()
            current.append(" ")
            return data.start("rest")
        operator = next(one for one in _OPERATORS if text.startswith(one, at))
        before = "".join(current)
        current[:] = [_DIGITS_BEFORE.sub("", before) if operator[0] != "&" else before, " "]
        target = _WORD.match(text, at + len(operator))
        if operator in _UNKNOWN or target is None:
            raise _NotUnderstood
        self._opens(operator, target[1].replace("'", "").replace('"', ""))
        return target.end()

    def _opens(self, operator: str, name: str) -> None:
        if (operator[-1] == "&" and _DESCRIPTOR.fullmatch(name)) or name in HARMLESS_FILES:
            return
        (self.reads if operator[0] == "<" else self.writes).append(name)


def _takes_text(words: Sequence[Word]) -> bool:
    """Whether a command reads its standard input as a text, and each of its words is known."""
    known = [word.text for word in words]
    options = _READS_DATA.get((known[0], known[1])) if len(known) > 1 else None
    if options is None or not all(word.is_known for word in words):
        return False
    named = any(one in options and value == "-" for one, value in pairwise(known))
    return named or any(f"{one}=-" in known for one in options)


def _behind(words: Sequence[Word], depth: int) -> Iterator[Suspect]:
    """What is run behind variables, keywords and programs that start others."""
    left = _program_first(words)
    if not left:
        return
    yield _suspect(left)
    program = _base(left[0])
    if program not in CARRIERS:
        yield from _behind_one(left, depth)
        return
    options_over = False
    if program in APPENDS:
        left = [*left, Word("$@", is_known=False, is_one=False)]
    for begin in range(1, min(len(left), _MOST_WORDS)):
        word = left[begin]
        is_next = program in CARRIES_NEXT and not options_over
        options_over = options_over or not (word.text.startswith("-") or _ASSIGNMENT.match(word.text))
        if word.is_known or is_next:
            yield from _behind_one(left[begin:], depth)
        if word.is_known and " " in word.text and depth < MAX_DEPTH:  # `eval 'git push'`, `su -c 'git push'`
            yield from suspects(word.text, depth + 1)


def _behind_one(words: Sequence[Word], depth: int) -> Iterator[Suspect]:
    program = _base(words[0])
    yield _suspect([words[0]._replace(text=program), *words[1:]])
    if program not in SHELLS or depth >= MAX_DEPTH:
        return
    is_text = False
    for word in words[1:_MOST_WORDS]:
        if word.text.startswith("-"):
            is_text = is_text or (not word.text.startswith("--") and "c" in word.text)
        elif word.is_known:
            yield from suspects(word.text, depth + 1)
        elif is_text:
            yield _suspect([word])


def _suspect(words: Sequence[Word]) -> Suspect:
    return Suspect(" ".join(word.text for word in words), tuple(words))


def _base(word: Word) -> str:
    return word.text.rpartition("/")[2] if word.is_known else word.text


def _program_first(words: Sequence[Word]) -> Sequence[Word]:
    at = 0
    while at < len(words) and (words[at].text in KEYWORDS or _ASSIGNMENT.match(words[at].text)):
        if words[at].text in _NO_PROGRAM:
            return ()
        at += 2 if words[at].text == "function" else 1
    return words[at:]


_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+(?:\\\n[ \t]*)*)
    | (?P<quiet>(?:[12]?>[ \t]*/dev/null|2>&1)(?=[\s;|&]|\Z))
    | (?P<end>&&|\|\||[;|\n])
    | (?P<word>(?:[A-Za-z0-9_@%+=:,./-]|\\'|'[^'\0]*'|"[^"$`\\!\0]*")+)""",
    re.VERBOSE,
)
_PIECE = re.compile(r"""\\'|'([^']*)'|"([^"]*)"|([^'"\\]+)""")
_HEREDOC = re.compile(r"(?P<head>[^\n]*?)[ \t]*<<[ \t]*'(?P<tag>\w+)'\n(?P<body>.*\n)?(?P=tag)[ \t\n]*", re.DOTALL)


class PlainCommands(NamedTuple):
    """Simple commands in their order, as words without quotes."""

    commands: tuple[tuple[str, ...], ...]


def read(command: str) -> PlainCommands | None:
    """Take a command apart; None: not understood. Text that it is given by `<<'WORD'` is nobody's command."""
    text = _without_text(command.strip(" \t\n"))
    commands: list[tuple[str, ...]] = []
    words: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return None
        at = found.end()
        if found["word"] is not None:
            words.append(_unquoted(found["word"]))
        elif found["end"] is not None:
            commands.append(tuple(words))
            words = []
    commands.append(tuple(words))
    return PlainCommands(tuple(one for one in commands if one))


def _without_text(command: str) -> str:
    found = _HEREDOC.fullmatch(command)
    if found is None or found["tag"] in (found["body"] or "").splitlines():
        return command  # whose `<` is not understood
    return found["head"]


def _unquoted(word: str) -> str:
    return "".join("'" if piece[0] == "\\'" else (piece[1] or piece[2] or piece[3] or "") for piece in _pieces(word))


def _pieces(word: str) -> list[re.Match[str]]:
    return list(_PIECE.finditer(word))
