"""The protocol of a Cortex: the fields of its requests, and their refusals. Knows neither HTTP nor the database."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, TypeVar

from overmind_core.domain.memory.entries import Entry, InvalidEntry, to_wire, version_from_wire, vote_from_wire
from overmind_core.domain.memory.notes import LONGEST_QUESTION, NoteKind, ScopeKind, Vote
from overmind_core.domain.memory.redaction import redact
from overmind_core.domain.memory.sync import MOST_BYTES, MOST_ENTRIES, Place

PROTOCOL = 1
"""Its number: a server of another one is not spoken to."""
MOST_FOUND = 50
"""Notes in an answer of a search."""
MOST_DIMENSIONS = 2000
"""Of a vector; an index of pgvector takes no more."""
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STATUS = {
    "invalid": 400,
    "token_refused": 401,
    "forbidden": 403,
    "not_found": 404,
    "gone": 409,
    "too_large": 413,
    "busy": 429,
    "internal": 500,
}
"""Error → status of HTTP."""
_LARGEST_SEQ = 2**63 - 1
_CHAIN = re.compile("[0-9a-f]{64}")


class Refused(Exception):
    """A request is refused.

    Attributes:
        code: One of `STATUS`.
        message: One sentence; it never repeats what was sent.
        fields: More facts, in the answer beside the two.
    """

    def __init__(self, code: str, message: str, **fields: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields


def _invalid(message: str, **fields: object) -> NoReturn:
    raise Refused("invalid", message, **fields)


class Vectors(NamedTuple):
    """The vectors of versions, by a model."""

    model: str
    values: Mapping[str, tuple[float, ...]]
    """By the id of the version."""


@dataclass(frozen=True, slots=True)
class Push:
    """A push: versions, votes and vectors."""

    entries: tuple[Entry, ...]
    vectors: Vectors | None


@dataclass(frozen=True, slots=True)
class Search:
    """A search."""

    question: str
    limit: int
    kind: NoteKind | None
    scope: ScopeKind | None
    repository: str | None
    """The repository whose notes are found beside those of the colony; None: those of all repositories."""
    tag: str | None
    model: str | None
    vector: tuple[float, ...]


def parse_body(body: bytes) -> Mapping[str, object]:
    """Return the object that a request holds.

    Raises:
        Refused: it holds none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        _invalid("The body is not JSON.")
    if not isinstance(found, dict):
        _invalid("The body is not an object.")
    return found


def parse_push(body: bytes, *, by: str) -> Push:
    """Return the versions, votes and vectors of a push.

    Args:
        body: Of the request.
        by: The name of the token that it came with, whose notes they are.

    Raises:
        Refused: one of it is none of a Cortex, names another author, or holds a secret; nothing of it is taken.
    """
    fields = parse_body(body)
    _refuse_unknown(fields, "versions", "votes", "vectors")
    entries: list[Entry] = []
    for name, parse in (("versions", version_from_wire), ("votes", vote_from_wire)):
        values = fields.get(name, [])
        if not isinstance(values, list):
            _invalid(f"{name}: a list.")
        for value in values:
            if isinstance(value, dict) and value.get("by", by) != by:
                raise Refused("forbidden", "The token says who the author is.")
            try:
                entry = parse(value)
            except InvalidEntry as reason:
                _invalid(str(reason), id=_id_of(value))
            if _holds_secret(entry):
                _invalid("A text holds a secret. Write it without, and send that.", id=entry.id)
            entries.append(entry)
    if len(entries) > MOST_ENTRIES:
        raise Refused("too_large", f"At most {MOST_ENTRIES} versions and votes in one request.")
    return Push(tuple(entries), _parse_vectors(fields.get("vectors")))


def _refuse_unknown(fields: Mapping[str, object], *known: str) -> None:
    if not fields.keys() <= set(known):
        _invalid(f"The body may hold {', '.join(known)}.")


def _id_of(value: object) -> str | None:
    """The id of an entry that is refused, for its sender."""
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) and len(found) <= 64 and found.isalnum() else None  # noqa: PLR2004  (an id)


def _holds_secret(entry: Entry) -> bool:
    return any(redact(text).secrets for text in _texts_of(entry))


def _texts_of(entry: Entry) -> Iterable[str]:
    if isinstance(entry, Vote):
        return (entry.why,)
    content = entry.content
    return content.text, content.key, content.scope.where, *content.tags, *content.files


def _parse_vectors(value: object) -> Vectors | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("values"), dict):
        _invalid("vectors: an object of model and values.")
    values = {str(key): _parse_vector(one) for key, one in value["values"].items()}
    if len(values) > MOST_ENTRIES or len({len(one) for one in values.values()}) > 1:
        _invalid(f"vectors: at most {MOST_ENTRIES}, of one size.")
    return Vectors(_parse_model(value.get("model")), values)


def _parse_model(value: object) -> str:
    if not isinstance(value, str) or not MODEL.fullmatch(value):
        _invalid(f"model: like {MODEL.pattern}.")
    return value


def _parse_vector(value: object) -> tuple[float, ...]:
    """Read what is base64 of numbers of 16 bits, the lowest byte first."""
    try:
        held = base64.b64decode(value if isinstance(value, str) else "", validate=True)
        numbers: tuple[float, ...] = struct.unpack(f"<{len(held) // 2}e", held)
    except (binascii.Error, struct.error, ValueError):
        numbers = ()
    if not 0 < len(numbers) <= MOST_DIMENSIONS or not all(map(math.isfinite, numbers)):
        _invalid(f"A vector is base64 of 1 to {MOST_DIMENSIONS} numbers of 16 bits.")
    return numbers


def parse_search(body: bytes) -> Search:
    """Return the search.

    Raises:
        Refused: it makes no sense.
    """
    fields = parse_body(body)
    _refuse_unknown(fields, "question", "limit", "kind", "scope", "repository", "tag", "model", "vector")
    question = fields.get("question", "")
    if not isinstance(question, str) or len(question.encode("utf-8", "surrogatepass")) > LONGEST_QUESTION:
        _invalid(f"question: text of at most {LONGEST_QUESTION} bytes.")
    limit = fields.get("limit", 5)
    if type(limit) is not int or not 1 <= limit <= MOST_FOUND:
        _invalid(f"limit: 1 to {MOST_FOUND}.")
    has_vector = fields.get("vector") is not None
    return Search(
        question=question,
        limit=limit,
        kind=_parse_word(fields, "kind", NoteKind),
        scope=_parse_word(fields, "scope", ScopeKind),
        repository=_parse_text(fields, "repository"),
        tag=_parse_text(fields, "tag"),
        model=_parse_model(fields.get("model")) if has_vector else None,
        vector=_parse_vector(fields["vector"]) if has_vector else (),
    )


def _parse_text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        _invalid(f"{name}: text.")
    return value


Word = TypeVar("Word", NoteKind, ScopeKind)


def _parse_word(fields: Mapping[str, object], name: str, words: type[Word]) -> Word | None:
    value = _parse_text(fields, name)
    if value is None:
        return None
    try:
        return words(value)
    except ValueError:
        _invalid(f"{name}: no such word.")


def parse_place(after: str, chain: str) -> Place:
    """Return the place after which a client reads.

    Raises:
        Refused: it is no place.
    """
    if not re.fullmatch("[0-9]{1,19}", after) or int(after) > _LARGEST_SEQ:
        _invalid("after: a number.")
    if chain and not _CHAIN.fullmatch(chain):
        _invalid("chain: 64 hexadecimal digits.")
    return Place(int(after), chain)


def parse_limit(limit: str) -> int:
    """Return how many entries are wanted at once.

    Raises:
        Refused: it is no number of entries.
    """
    if not re.fullmatch("[0-9]{1,4}", limit) or not 1 <= int(limit) <= MOST_ENTRIES:
        _invalid(f"limit: 1 to {MOST_ENTRIES}.")
    return int(limit)


def body_of(entry: Entry) -> str:
    """Return an entry as it is kept and sent."""
    return json.dumps(to_wire(entry), ensure_ascii=False, separators=(",", ":"))


def entry_of(body: str, *, is_vote: bool) -> Entry:
    """Return the entry that a body of `body_of` holds."""
    value = json.loads(body)
    return vote_from_wire(value) if is_vote else version_from_wire(value)


def numbered(body: str, seq: int, by: str) -> str:
    """Return a kept entry as it is sent: with its number, and who has brought it."""
    return f'{{"seq":{seq},"by":{json.dumps(by)},{body[1:]}'


LIMITS = {"entries": MOST_ENTRIES, "bytes": MOST_BYTES, "found": MOST_FOUND}
"""The limits in the answer to `hello`."""


def parted(entries: Iterable[Entry]) -> dict[str, list[dict[str, object]]]:
    """Return versions and votes, each in a list of its own, as they are sent."""
    found: dict[str, list[dict[str, object]]] = {"versions": [], "votes": []}
    for entry in entries:
        found["votes" if isinstance(entry, Vote) else "versions"].append(to_wire(entry))
    return found
