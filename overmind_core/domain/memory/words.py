"""The words of notes and of questions, as the index of notes (SQLite's FTS5, `porter unicode61`) has them. Pure.

`words` folds and splits as `unicode61` does, `stem` shortens as `porter` does: so what is counted and compared here is
what the index holds. An identifier is also found by its parts (`getUserName`: get, user, name), and one in parts by the
whole (`get_user_name`: getusername): the index has a column for both, see `identifier_words`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from overmind_core.domain.memory.stems import stem

MOST_WORDS = 32
"""Words of a question that are looked for."""
LEAST_ASKED = 3
"""Words of a question that are looked for, however many notes have them."""
TELLING = 0.2
"""The share of all notes that have a word at most for it to be looked for beside others: at a tenth, fewer questions
found their notes (`bench/memory.py`); at a half, the search took half as long again."""
QUICKLY_READ = 100
"""Notes that a word may have in any case."""
MOST_PHRASES = 8
"""Identifiers and paths of a question that are looked for as they stand there."""
MOST_ASKED = 500
"""Words of a question that are looked at."""
LONGEST_TOKEN = 256
"""Characters of an identifier or a path."""
LONGEST_WORD = 64
"""Characters that are compared of a word; as of tokens that have no end."""

_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"\w+")
_MARKS = re.compile("[\u0300-\u036f]")
"""The combining marks that decomposing splits off a letter."""
_LATIN_WITH_A_MARK = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_CAMEL = re.compile(r"[a-z][0-9]*[A-Z]|[A-Z]{2}[a-z]{2}")
_PART = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[^A-Za-z]+")


# words


def words(text: str) -> list[str]:
    """Return the words of a text in their order: in small letters, Latin ones without their accents."""
    return _WORD.findall(_folded(text))


def stems(text: str) -> list[str]:
    """Return the stems of a text's words, of the parts of its identifiers, too."""
    return [stem(word) for word in (*words(text), *identifier_words(text))]


def identifier_words(text: str) -> list[str]:
    """Return the words to index beside `words` to find identifiers: the parts of `getName`, `getname` of `get_name`."""
    found = []
    for run in _RUN.findall(text):
        if run.islower() and "_" not in run:
            continue
        parts = _WORD.findall(run)
        for part in parts:
            if _CAMEL.search(part):
                found += words(" ".join(_PART.findall(part)))
        if len(parts) > 1:
            found.append(_folded("".join(parts)))
    return found


def question_words(question: str) -> list[str]:
    """Return the words of a question and the parts of its identifiers, each once, in order."""
    found = dict.fromkeys(word for word in words(question) if len(word) <= LONGEST_WORD)
    found.update(dict.fromkeys(word for word in identifier_words(question) if len(word) <= LONGEST_WORD))
    return list(found)[:MOST_ASKED]


def phrases(question: str) -> list[str]:
    """Return the words of each identifier and path of a question, side by side: a note that has them so is nearest."""
    found = (words(token) for token in _tokens(question) if is_identifier(token) or is_path(token))
    joined = dict.fromkeys(" ".join(name) for name in found if len(name) > 1 and len(name) <= MOST_WORDS)
    return list(joined)[:MOST_PHRASES]


def rarest(asked: Sequence[str], frequency: Mapping[str, int], notes: int, most: int = MOST_WORDS) -> list[str]:
    """Return those of the words of a question that are worth looking for, in their order.

    Args:
        asked: Its words.
        frequency: In how many notes each stem is; none of those that are in no note.
        notes: How many notes there are.
        most: Words at most.

    """
    each = [(stem(word), place) for place, word in enumerate(asked)]
    known = sorted((frequency[stemmed], place) for stemmed, place in each if stemmed in frequency)
    # What many notes have tells little and finds a great deal; it is all there is in a question of such words only.
    telling = sum(many <= max(TELLING * notes, QUICKLY_READ) for many, _ in known)
    chosen = known[: min(max(telling, LEAST_ASKED), most)]
    return [asked[place] for place in sorted(place for _, place in chosen)]


def match_query(chosen: Iterable[str]) -> str:
    """Return the query of FTS5 for notes with any of these `words` or `phrases`: each quoted, nothing is syntax."""
    return " OR ".join(f'"{one}"' for one in chosen)


def _folded(text: str) -> str:
    """As `unicode61` folds: of letters with one accent those of the Latin script lose it, others keep it."""
    if text.isascii():
        return text.lower()
    lowered = unicodedata.normalize("NFC", text).lower()
    return _MARKS.sub("", _LATIN_WITH_A_MARK.sub(_without_mark, lowered))


def _without_mark(letter: re.Match[str]) -> str:
    parts = unicodedata.normalize("NFD", letter[0])
    return parts[0] if len(parts) == 2 and parts[0].isascii() else letter[0]  # noqa: PLR2004 - a letter and its mark


# identifiers and paths

_TOKEN = re.compile("[^\\s\"'`\u2018\u2019\u201c\u201d()\\[\\]{}<>,;|*=\u2026]+(?:\\(\\))?")
_LOOSE_END = re.compile(r"(?::\d+|[.:!?/])+\Z")
"""Punctuation of the sentence, and the line number behind the name of a file."""
_URL = re.compile(r"[a-z][a-z0-9+.-]*://")
_IDENTIFIER = re.compile(
    r"""
      \w*[^\W_]_+[^\W_]\w*                    # get_user_name
    | _+[^\W_]\w*                             # __init__
    | (?=\w*(?:[a-z][0-9]*[A-Z]|[A-Z]{2}[a-z]{2}))\w+   # getUserName, HTTPServer
    | (?=.{4})[A-Za-z]+[0-9][A-Za-z0-9]*      # E501, sha256
    | \.?[A-Za-z_][\w-]+(?:\.[A-Za-z_][\w-]+)+   # os.path, docker-compose.yml
    | \.[A-Za-z][\w-]+                        # .env
    | \w+(?:::\w+)+                           # std::vector
    | --[a-z][\w-]+                           # --no-memory
    """,
    re.VERBOSE,
)
_CALLED = re.compile(r"_*[^\W_]\w*")
_PATH = re.compile(r"(?:~|\.{1,2})?/?(?:[\w.@+~-]+/)+[\w.@+~-]*|(?:~|\.{1,2})?/[\w.@+~-]+")
_TELLING_PATH = re.compile(r"\A[~./]|/.*/|[._0-9-]")
"""The sign of a path, which `and/or`, `client/server` and `I/O` lack."""


def is_identifier(word: str) -> bool:
    """Return whether a word looks like the name of something in code, or like the name of a file."""
    if len(word) > LONGEST_TOKEN:
        return False
    plain = word.removesuffix("()")
    return bool(_IDENTIFIER.fullmatch(plain)) or (plain != word and bool(_CALLED.fullmatch(plain)))


def is_path(word: str) -> bool:
    """Return whether a word looks like a path with a `/`, as `and/or` does not."""
    return len(word) <= LONGEST_TOKEN and bool(_PATH.fullmatch(word)) and bool(_TELLING_PATH.search(word))


def identifiers(text: str) -> frozenset[str]:
    """Return the identifiers and paths that a text names, in a form in which different ways to write one are equal.

    Those inside others are among them: `limits.py` of `api/limits.py`, `getUserName` of `users.getUserName()`.
    """
    found = set()
    for token in _tokens(text):
        if is_path(token):
            name = token.removeprefix("./")
            found.add(name.lower())
            inside = [name.rpartition("/")[2]]
        elif is_identifier(token):
            found.add(_same(token))
            inside = re.split(r"\.|::", token.removesuffix("()"))
        else:
            continue
        found.update(_same(name) for name in inside if is_identifier(name))
    return frozenset(found)


def paths(text: str) -> list[str]:
    """Return the possible paths in a text, each once: also names of files, and words around a `/`."""
    found = (token.removeprefix("./") for token in _tokens(text) if not token.startswith("-"))
    return list(dict.fromkeys(name for name in found if _PATH.fullmatch(name) or _is_file_name(name)))


def _tokens(text: str) -> list[str]:
    each = (token for token in dict.fromkeys(_TOKEN.findall(text)) if len(token) <= LONGEST_TOKEN)
    bare = (_LOOSE_END.sub("", token) for token in each if not _URL.match(token))
    return [token for token in bare if token]


def _is_file_name(token: str) -> bool:
    return "." in token[:-1] and bool(_IDENTIFIER.fullmatch(token))


def _same(identifier: str) -> str:
    """`getUserName`, `get_user_name` and `getUserName()` are one."""
    return identifier.removesuffix("()").strip("_").replace("_", "").lower()
