"""A shell command taken apart into its simple commands, so that a rule about one program says nothing about the next.

Three readings. `parts` is for allowing: exact, and None for whatever it doesn't understand. `suspects` is for denying:
generous, it also looks behind `sudo`, into `sh -c '…'`, and into what it doesn't understand; of a word that only the
shell can know it says so. `read` is the strictest:
words and quotes, no variable, substitution, pattern or file; each word is known for certain, so that options can be
judged, and whatever a shell might read in another way is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from overmind_core.domain.shell import carriers, fed, git_commands
from overmind_core.domain.shell.carriers import ANYTHING, ASSIGNMENT, base
from overmind_core.domain.shell.pieces import ROUGH, Piece, pieces
from overmind_core.domain.shell.words import BLANK, Word, joined, split

MAX_DEPTH = 16
"""Command substitutions, or shells started by shells, within each other; a deeper one is not understood."""

HARMLESS_FILES = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})

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
_QUOTE = '"'
_MOST_WORDS = 64
"""Words of one command in which another program's name is looked for."""
_MOST_LOOKED_AT = 500_000
"""Words, counted again each time that one is taken for a program: hostile texts have that done without an end."""


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
    """Whether relative names in it are, or may be, relative to another folder than where it begins."""
    commands = [split(command) for command in taken.commands]
    return any(not words[0].is_known or any(word.text in MOVERS for word in words) for words in commands if words)


class Suspect(NamedTuple):
    """What may be run: as a text that begins with a program's name, and as words, where they could be told apart."""

    text: str
    words: tuple[Word, ...] = ()


_UNKNOWABLE = Suspect("", (ANYTHING,))


def suspects(command: str) -> Iterator[Suspect]:
    """Whatever may be run by it."""
    try:
        yield from _Search().in_text(command, 0)
    except _TooMuch:
        yield _UNKNOWABLE


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


class _TooMuch(Exception):
    pass


class _Search:
    """Looks for whatever may be run by a command."""

    def __init__(self) -> None:
        self._left = _MOST_LOOKED_AT
        self._seen: set[str] = set()
        self._is_fed = False
        """A shell was found that reads its standard input."""

    def in_text(self, command: str, depth: int) -> Iterator[Suspect]:
        """What may be run by a text."""
        yield Suspect(command.strip(BLANK))
        plain = joined(command)
        taken = parts(command)
        if taken is not None:
            found, is_whole = [Piece(one, tuple(split(one))) for one in taken.commands], True
        else:
            found, is_whole = pieces(plain)
        if not is_whole:
            yield from self._roughly(plain, depth)
        yield from self._runs(git_commands.of_variables([word for piece in found for word in piece.words]), depth)
        is_fed = yield from self._each(found, depth)
        if any(is_fed):
            yield from self._fed(plain, depth)

    def _each(self, found: Sequence[Piece], depth: int) -> Generator[Suspect, None, list[bool]]:
        """What each simple command may run; for each whether a shell is in it that reads its standard input."""
        before, is_fed = self._is_fed, []
        for piece in found:
            self._is_fed = False
            yield Suspect(piece.text)
            left = _program_first(piece.words)
            if left and (left[0].is_known or not piece.is_text):
                yield from self._behind(piece.words, depth)
                if piece.given:
                    yield from self._behind(piece.words[: -len(piece.given)], depth)
            is_fed.append(self._is_fed)
        self._is_fed = before or any(is_fed)
        return is_fed

    def _fed(self, command: str, depth: int) -> Iterator[Suspect]:
        """What shells run that read their standard input: what others print there, or stands in the command itself."""
        found, _ = pieces(command)
        seen, self._seen = self._seen, set()
        is_fed = yield from self._each(found, depth)
        self._seen |= seen
        unknown = sum(fed.printed(piece.words) is None for piece in found)
        for at, piece in enumerate(found):
            left = _program_first(piece.words)
            text = fed.printed(left)
            if text is not None:
                yield from self._deeper(text, depth)
            if piece.is_text and left and not left[0].is_known:
                yield _suspect(left)
            if is_fed[at]:
                yield from self._read_by(found, at, has_others=unknown > 1)
                for word in piece.given:
                    yield _suspect([word])
                    yield from self._deeper(word.text if word.is_known else word.text.strip(_QUOTE), depth)

    def _read_by(self, found: Sequence[Piece], at: int, *, has_others: bool) -> Iterator[Suspect]:
        """Whatever the commands print that stand before a shell in its pipe, unless all of that is known."""
        is_known = not (has_others and any(word.text == fed.PRINTED for word in found[at].words))
        while is_known and at and found[at - 1].is_piped:
            at -= 1
            left = _program_first(found[at].words)
            is_read = bool(at) and found[at - 1].is_piped
            is_known = not found[at].is_last and (
                fed.printed(left) is not None
                or (fed.passes_on(left) and (is_read or any(piece.is_text for piece in found)))
            )
        if not is_known:
            yield _UNKNOWABLE

    def _roughly(self, command: str, depth: int) -> Iterator[Suspect]:
        """What may be run by a command whose quotes or groups do not close."""
        for piece in ROUGH.split(command):
            yield Suspect(piece.strip(BLANK))
            words = split(piece)
            if _may_be_program(words, command):
                yield from self._behind(words, depth)

    def _behind(self, words: Sequence[Word], depth: int) -> Iterator[Suspect]:
        """What is run behind variables, keywords and programs that start others."""
        left = list(_program_first(words))
        if not left:
            return
        yield _suspect(left)
        yield from self._behind_one(left, depth)
        if carriers.carried(left, 0, _MOST_WORDS) is not None:
            yield from self._carried(left, depth)

    def _carried(self, left: list[Word], depth: int) -> Iterator[Suspect]:
        """What is run behind a program that starts others: any word that is known, and those that it certainly runs."""
        named, is_told = {0}, False
        for at in range(min(len(left), _MOST_WORDS)):
            word = left[at]
            found = carriers.carried(left, at, _MOST_WORDS) if word.is_known else None
            first = None
            if found is not None:
                left = carriers.filled(base(word), found, left)
                first = carriers.first_word(found, left)
                if first is None and base(word) in fed.SHELL_WITHOUT_COMMAND:
                    self._is_fed = True
                yield from self._given(base(word), found, left, depth)
            if at in named:
                is_told = found is None or first is not None
            if first is not None:
                named.add(first)
            if at:
                yield from self._at(left, at, depth, is_named=at in named)
        if len(left) <= _MOST_WORDS:
            return
        if not is_told or depth >= MAX_DEPTH:
            yield _UNKNOWABLE
        else:
            for at in sorted(one for one in named if one >= _MOST_WORDS):
                yield from self._behind(left[at:], depth + 1)

    def _at(self, words: Sequence[Word], at: int, depth: int, *, is_named: bool) -> Iterator[Suspect]:
        """What a word behind a carrier may run: `git push`, `'git push'`, `"git $x"`, `--run=git push`."""
        word = words[at]
        if word.is_known or is_named:
            yield from self._behind_one(words[at:], depth)
        text = word.text
        if text.startswith("-"):
            option, equals, value = text.partition("=")
            text = value if equals and " " not in option else text[2:]
            if text and word.is_known:
                yield from self._behind_one([word._replace(text=text), *words[at + 1 :]], depth)
        if " " in text and (word.is_known or text.startswith('"') or carriers.GIVEN in text):
            yield from self._deeper(text if word.is_known else text.strip('"'), depth)

    def _given(self, program: str, found: carriers.Carried, words: Sequence[Word], depth: int) -> Iterator[Suspect]:
        """What a program runs that makes the other one's words."""
        for word in carriers.unknown_texts(found, words):
            yield _suspect([word])
        first = carriers.first_word(found, words)
        if first is not None and (found.carrier.joins or " " in words[first].text):
            yield from self._deeper(" ".join(word.text for word in words[first:]), depth)
        for command in carriers.commands(program, found, words):
            self._count(command)
            if depth < MAX_DEPTH:
                yield from self._behind(command, depth + 1)
            else:
                yield _UNKNOWABLE
            if found.carrier.joins:
                yield from self._deeper(" ".join(word.text for word in command), depth)

    def _behind_one(self, words: Sequence[Word], depth: int) -> Iterator[Suspect]:
        self._count(words)
        program = base(words[0])
        yield _suspect([words[0]._replace(text=program), *words[1:]])
        if fed.reads_input(program, words, is_shell=program in SHELLS):
            self._is_fed = True
        if program == git_commands.GIT:
            yield from self._runs(git_commands.of_words(words[:_MOST_WORDS]), depth)
        if program not in SHELLS:
            return
        is_text = False
        for word in words[1:]:
            if word.text.startswith("-"):
                is_text = is_text or (not word.text.startswith("--") and "c" in word.text)
            elif word.is_known:
                yield from self._deeper(word.text, depth)
            if is_text and not word.is_known:
                yield _suspect([word])

    def _runs(self, found: Iterator[git_commands.Run], depth: int) -> Iterator[Suspect]:
        for one in found:
            if isinstance(one, str):
                yield from self._deeper(one, depth)
            elif one[0] == ANYTHING:
                yield _UNKNOWABLE
            else:
                yield _suspect(one)
                yield from self._carried(list(one), depth)

    def _deeper(self, text: str, depth: int) -> Iterator[Suspect]:
        if text in self._seen:
            return
        self._seen.add(text)
        if depth < MAX_DEPTH:
            yield from self.in_text(text, depth + 1)
        else:
            yield _UNKNOWABLE

    def _count(self, words: Sequence[Word]) -> None:
        self._left -= len(words)
        if self._left < 0:
            raise _TooMuch


def _suspect(words: Sequence[Word]) -> Suspect:
    return Suspect(" ".join(word.text for word in words), tuple(words))


def _program_first(words: Sequence[Word]) -> Sequence[Word]:
    at = 0
    while at < len(words) and (words[at].text in KEYWORDS or ASSIGNMENT.match(words[at].text)):
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
