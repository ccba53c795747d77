"""Validation of the fields of a note: text, kind, scope, key, tags, files, before anything is stored."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.memory.block import clean
from overmind_core.domain.memory.notes import (
    KEY,
    LONGEST_QUESTION,
    LONGEST_TAG,
    LONGEST_TEXT,
    LONGEST_WHY,
    MOST_FILES,
    MOST_TAGS,
    NoteKind,
    ScopeKind,
)
from overmind_core.domain.text.problems import hinted
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = frozenset({"accept", "edit", "forget", "pin", "promote", "restore", "unpin"})
"""Words behind `overmind note`, which no key may be."""
LONGEST_GLOB = 300
"""Characters."""
MOST_QUESTIONS = 10
MOST_AT_ONCE = 1000
"""Notes of one answer."""
Word = TypeVar("Word", bound=StrEnum)


def tidied(text: str) -> str:
    """A text as it is stored: whole characters, one kind of line ends, no blanks around it."""
    whole = text.encode("utf-8", "replace").decode()
    return whole.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


def note_text(text: str) -> str:
    """The text of a note.

    Raises:
        OvermindError: `invalid`, `too_large`.
    """
    found = tidied(text)
    if not clean(found).strip():  # all of it may be what nobody sees
        raise OvermindError("invalid", "A note needs a text.")
    if len(found) > LONGEST_TEXT:
        raise OvermindError("too_large", f"A note has at most {LONGEST_TEXT:,} characters, not {len(found):,}.")
    return found


def question(text: str) -> str:
    """A question, or the words of a search.

    Raises:
        OvermindError: `invalid`.
    """
    whole = text.encode("utf-8", "replace")
    if len(whole) > LONGEST_QUESTION:
        raise OvermindError("invalid", f"A question has at most {LONGEST_QUESTION:,} bytes, not {len(whole):,}.")
    if not text.strip():
        raise OvermindError("invalid", "What is to be found? Write some words.")
    return whole.decode()


def questions(texts: Sequence[str]) -> list[str]:
    """Several questions about the same.

    Raises:
        OvermindError: `invalid`.
    """
    if not 1 <= len(texts) <= MOST_QUESTIONS:
        raise OvermindError("invalid", f"Ask 1 to {MOST_QUESTIONS} questions, not {len(texts)}.")
    return [question(text) for text in texts]


def kind(word: str) -> NoteKind:
    """The kind of a note.

    Raises:
        OvermindError: `invalid`.
    """
    return _one_of(NoteKind, "kind", word)


def scope(word: str) -> ScopeKind:
    """The kind of a scope.

    Raises:
        OvermindError: `invalid`.
    """
    return _one_of(ScopeKind, "scope", word)


def key(word: str) -> str:
    """The key of a note.

    Raises:
        OvermindError: `invalid`.
    """
    if not KEY.fullmatch(word):
        raise OvermindError(
            "invalid", f"No key: {word!r}. Write up to 63 of a-z 0-9 . _ / - and begin with a-z or 0-9."
        )
    if word in VERBS:
        raise OvermindError("invalid", f"{word!r} can't be a key: overmind note {word} is a command.")
    return word


def tags(words: Sequence[str]) -> tuple[str, ...]:
    """The tags of a note, each once.

    Raises:
        OvermindError: `invalid`, `too_large`.
    """
    found = tuple(dict.fromkeys(" ".join(tidied(word).split()) for word in words))
    if len(found) > MOST_TAGS:
        raise OvermindError("too_large", f"A note has at most {MOST_TAGS} tags, not {len(found)}.")
    for word in found:
        if not 1 <= len(word) <= LONGEST_TAG:
            raise OvermindError("invalid", f"A tag has 1 to {LONGEST_TAG} characters, not {len(word)}.")
    return found


def files(globs: Sequence[str]) -> tuple[str, ...]:
    """Patterns of files from the top of a repository.

    Raises:
        OvermindError: `invalid`, `too_large`.
    """
    found = tuple(dict.fromkeys(tidied(glob).removeprefix("./") for glob in globs))
    if len(found) > MOST_FILES:
        raise OvermindError("too_large", f"A note has at most {MOST_FILES} files, not {len(found)}.")
    for glob in found:
        if not 1 <= len(glob) <= LONGEST_GLOB or "\n" in glob:
            raise OvermindError("invalid", f"The pattern of a file has 1 to {LONGEST_GLOB} characters in one line.")
        if glob.startswith(("/", "~/")) or ".." in glob.split("/"):
            raise OvermindError("invalid", f"{glob!r}: write files from the top of the repository, such as api/*.py")
    return found


def why(text: str | None) -> str:
    """The reason of a vote.

    Raises:
        OvermindError: `too_large`.
    """
    found = tidied(text or "")
    if len(found) > LONGEST_WHY:
        raise OvermindError("too_large", f"A reason has at most {LONGEST_WHY} characters, not {len(found)}.")
    return found


def limit(number: int) -> int:
    """How many notes an answer may have.

    Raises:
        OvermindError: `invalid`.
    """
    if number < 1:
        raise OvermindError("invalid", f"The limit must be 1 or more, not {number}.")
    return min(number, MOST_AT_ONCE)


def _one_of(words: type[Word], name: str, word: str) -> Word:
    try:
        return words(word)
    except ValueError:
        known = [one.value for one in words]
        unknown = hinted(f"There is no {name} {word!r}", word, known)
        raise OvermindError("invalid", f"{unknown}. Choose {', '.join(known[:-1])} or {known[-1]}.") from None
