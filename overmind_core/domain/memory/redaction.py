"""Redaction: secrets in a text are replaced by what they are, as in `[redacted: github token]`. Pure.

Found are tokens of formats that their services publish, pairs such as `password=`, passwords in URLs, private keys,
strings that look random, and values that the caller knows to be secret. Hashes, UUIDs and ids of notes stay. What looks
like prose or code stays, too: a password that is said in a sentence is not found.

Each pattern begins with what is rare, or is bounded: the time grows with the length of the text, whatever it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import quote

from overmind_core.domain.memory.secret_formats import (
    AUTHORIZATION,
    FORMATS,
    HIDDEN,
    JWT,
    KINDS,
    PASSWORD,
    PRIVATE_KEY,
    SECRET,
    SECRET_NAME,
    VARIABLE,
)

SHORTEST_VALUE = 8
"""Characters of a variable's value that is taken for a secret."""
_MOST_PASSES = 8
"""A pass may uncover something for the next one; two are the rule."""
_FOLDERS = frozenset({"PWD", "OLDPWD"})
_PLACES = ("_FILE", "_PATH", "_DIR")
"""How names of variables end that say where a secret is."""


class Redacted(NamedTuple):
    """A text without secrets, and how many were replaced."""

    text: str
    secrets: int


def redact(text: str, values: Iterable[str] = ()) -> Redacted:
    """Replace the secrets of a text.

    Args:
        text: Any.
        values: Texts that are secret, whatever they look like; see `secret_values`.
    """
    known = _spellings(values)
    found = _redact_all(text, known)
    if HIDDEN.search(found.text) is not None:
        # Characters that nobody sees are dropped before a text is shown: what they hide would then be whole again.
        shown = _redact_all(HIDDEN.sub("", found.text), known)
        if shown.secrets:
            return Redacted(shown.text, found.secrets + shown.secrets)
    return found


def secret_values(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names say that they are secret, such as `API_TOKEN`."""
    return tuple(
        value
        for name, value in variables.items()
        if len(value) >= SHORTEST_VALUE
        and SECRET_NAME.search(name) is not None
        and name not in _FOLDERS
        and not name.upper().endswith(_PLACES)
    )


def _redact_all(text: str, known: Sequence[str]) -> Redacted:
    total = 0
    for _ in range(_MOST_PASSES):
        text, count = _redact_once(text, known)
        if not count:
            break
        total += count
    return Redacted(text, total)


class _Counter:
    """Replaces by a kind, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def mark(self, kind: str) -> str:
        self.count += 1
        return f"[redacted: {kind}]"

    def whole(self, pattern: re.Pattern[str], kind: str, text: str) -> str:
        """Replace all that the pattern finds, or its group `secret`."""
        if "secret" not in pattern.groupindex:
            return pattern.sub(lambda _: self.mark(kind), text)
        return pattern.sub(lambda found: _around(found, "secret", self.mark(kind)), text)


def _around(found: re.Match[str], group: str, instead: str) -> str:
    start, end = found.span(group)
    offset = found.start()
    whole = found[0]
    return f"{whole[: start - offset]}{instead}{whole[end - offset :]}"


_MARKED = re.compile(rf"\[redacted: (?:{'|'.join(sorted(re.escape(kind) for kind in KINDS))})\]")


def _redact_once(text: str, known: Sequence[str]) -> Redacted:
    counter = _Counter()
    text = _known_values(text, known, counter)
    if "PRIVATE KEY" in text:
        for pattern in (_KEY, _KEY_TAIL):
            text = counter.whole(pattern, PRIVATE_KEY, text)
    if "eyJ" in text:
        text = _WITH_DOTS.sub(lambda found: _jwt(found, counter), text)
    for kind, hints, pattern in FORMATS:
        if any(hint in text for hint in hints):
            text = counter.whole(pattern, kind, text)
    if "://" in text and "@" in text:
        text = _URL.sub(lambda found: _url_user(found, counter), text)
    small = text.lower()
    if any(hint in small for hint in _SCHEMES):
        text = _AUTHORIZATION.sub(lambda found: _authorization(found, counter), text)
    if any(hint in small for hint in _NAMES):
        text = _PAIR.sub(lambda found: _pair(found, counter), text)
    if "-u" in small:
        text = _USER.sub(lambda found: _user(found, counter), text)
    return Redacted(_RUN.sub(lambda found: _random(found, counter), text), counter.count)


def _spellings(values: Iterable[str]) -> tuple[str, ...]:
    """The values, the longest first, also as JSON and URLs write them."""
    every = {value for value in values if len(value) >= SHORTEST_VALUE}
    every |= {json.dumps(value)[1:-1] for value in every} | {quote(value, safe="", errors="replace") for value in every}
    return tuple(sorted(every, key=lambda value: (-len(value), value)))


def _known_values(text: str, known: Sequence[str], counter: _Counter) -> str:
    """Replace the values; what stands in a mark of ours stays, or a value such as `password` would be found there."""
    present = [value for value in known if value in text]
    if not present:
        return text
    pattern = re.compile("|".join((_MARKED.pattern, *map(re.escape, present))))
    return pattern.sub(lambda found: found[0] if _MARKED.fullmatch(found[0]) else counter.mark(VARIABLE), text)


_END_OF_LINE = r"(?:\s|\\r|\\n|[\"'+,>#*|]){1,8}"
_NAME = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_KEY = re.compile(
    rf"-----BEGIN {_NAME}(?:{_END_OF_LINE}(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): ?[^\n\\]{{0,200}})*"
    rf"(?:(?:{_END_OF_LINE})?[A-Za-z0-9+/=]{{16,}})*(?:(?:{_END_OF_LINE})?[A-Za-z0-9+/=]{{0,80}}"
    rf"(?:{_END_OF_LINE})?-----END {_NAME})?"
)
"""A key that was cut has no end."""
_KEY_TAIL = re.compile(
    rf"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/=]{{1,80}}{_END_OF_LINE})?[A-Za-z0-9+/=]{{0,80}}-----END {_NAME}"
)
"""Or no beginning; its other lines look random."""

_WITH_DOTS = re.compile(r"(?<![\w-])[\w-]{11,}\.[\w.-]{4,}")


def _jwt(found: re.Match[str], counter: _Counter) -> str:
    """A JWT begins with a JSON object in base64."""
    whole = found[0]
    start = whole.find("eyJ")
    if start < 0 or whole.find(".", start) < start + 11:
        return whole
    return whole[:start] + counter.mark(JWT)


_URL = re.compile(r"://(?P<user>[^\s/:@\"'<>`|\\]{0,200})(?::(?P<secret>[^\s/\"'<>`|\\]{1,300}))?@")


def _url_user(found: re.Match[str], counter: _Counter) -> str:
    """A URL's password, or a user that looks like a token."""
    secret, user = found["secret"], found["user"]
    if secret is not None:
        return found[0] if _is_placeholder(found) else _around(found, "secret", counter.mark(PASSWORD))
    is_token = len(user) >= _SHORTEST_TOKEN and _has_digit(user) and not _PLAIN_NAME.fullmatch(user)
    return _around(found, "user", counter.mark(SECRET)) if is_token else found[0]


_SHORTEST_TOKEN = 16
"""Characters of a token in the place of a user's name."""
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
_SCHEMES = ("bearer", "basic", "authorization")
_AUTHORIZATION = re.compile(
    r"(?i)(?:authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:token|apikey|key|digest|negotiate)|bearer|basic)"
    r"(?:\s{1,4}|%20|\+)(?P<secret>[A-Za-z0-9._~+/-]{12,}={0,2})"
)


def _authorization(found: re.Match[str], counter: _Counter) -> str:
    secret = found["secret"]
    is_word = secret.isalpha() and (secret.islower() or secret[1:].islower())
    if is_word or not (_has_digit(secret) or secret.endswith("=") or _changes(secret) >= _MOST_CHANGES):
        return found[0]
    return _around(found, "secret", counter.mark(AUTHORIZATION))


_WORDS = (
    r"passw(?:or)?d|passphrase|passwort|pwd|secret|token|credentials?|api[_-]?key|private[_-]?key|access[_-]?key"
    r"|account[_-]?key|auth[_-]?key|signing[_-]?key|encryption[_-]?key"
)
_NAMES = ("passw", "passphrase", "pwd", "secret", "token", "credential", "key")
_PAIR = re.compile(
    rf"(?i)(?P<name>{_WORDS})(?P<more>[a-z0-9_-]{{0,20}})(?:\\?[\"']|\])?"
    r"(?P<sign>\s{0,4}(?:=>|:=|[:=])\s{0,4}|(?<=[a-z])\s{1,2}(?=\S))"
    r"(?:\\?(?P<quote>[\"'`]))?(?P<secret>(?(quote)(?![\s,.;:)])[^\"'`\n\\]{4,300}"
    r"|(?:[^\s\"'`,;&|<>()\[\]{}\\]|,(?=\w)){4,300}))"
)
_FLAG = re.compile(r"--?[A-Za-z0-9_-]{0,40}\Z")


def _pair(found: re.Match[str], counter: _Counter) -> str:
    """`password=…`: how much a value must look like a secret depends on how much the name and the sign say."""
    secret = found["secret"].rstrip(".!?") if found["quote"] is None else found["secret"]
    is_password = found["name"].lower().startswith(("passw", "passp", "pwd"))
    sign = found["sign"].strip()
    if len(secret) < (4 if is_password else SHORTEST_VALUE) or _is_placeholder(found):
        return found[0]
    if not sign and not _is_flag(found):
        return found[0]
    is_given = bool(found["quote"]) or sign == "=" == found["sign"] or not sign
    if not (
        _is_random_enough(secret) or (is_password and (_has_digit(secret) or is_given) and not _is_code(secret, found))
    ):
        return found[0]
    end = found.start("secret") - found.start() + len(secret)
    return (
        found[0][: found.start("secret") - found.start()]
        + counter.mark(PASSWORD if is_password else SECRET)
        + found[0][end:]
    )


def _is_flag(found: re.Match[str]) -> bool:
    """Whether the name is the end of an option: `--db-password hunter2`."""
    return _FLAG.search(found.string, max(0, found.start() - 42), found.start()) is not None


_USER = re.compile(
    r"(?<![\w-])(?:-u|--user)(?:\s{1,2}|=)[\"']?(?P<user>[^\s:\"'`/]{1,100}):(?P<secret>[^\s\"'`/]{4,200})"
)


def _user(found: re.Match[str], counter: _Counter) -> str:
    """As `curl -u` has it; `docker run -u 1000:1000` has numbers."""
    if found["secret"].isdecimal() or _is_placeholder(found):
        return found[0]
    return _around(found, "secret", counter.mark(PASSWORD))


_RUN = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_=-]{24,}")
_PUBLIC = re.compile(r"(?:sha(?:1|224|256|384|512)|md5)[-_]|AAAA[BCE][1-3]|AAAAC3Nza|AAAAG")
"""How a digest that says so, and a public key of ssh, begin."""
_DIGEST = re.compile(r"(?:\bh1|SHA(?:1|256|384|512)|sha(?:1|256|384|512)):\Z")
"""The prefix of a digest in `go.sum`, and in the output of ssh."""
_HEX_RUN = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")
_MOST_CHANGES = 0.4
"""Part of the places where letters of one kind follow those of another; a random string has 0.6, a name less."""
_PIECE = 20
"""Characters of a part that is long enough to be judged."""


def _random(found: re.Match[str], counter: _Counter) -> str:
    """A long string with capital and small letters and digits, all mixed, is a key."""
    run = found[0]
    if _HEX_RUN.fullmatch(run) or _PUBLIC.match(run):
        return run
    if _DIGEST.search(found.string, max(0, found.start() - 8), found.start()) is not None:
        return run
    return counter.mark(SECRET) if _is_mixed(run) else run


def _is_mixed(run: str) -> bool:
    """Whether it looks random: as a whole, or in the longest part between signs."""
    if _changes(run) >= _MOST_CHANGES and _kinds(run):
        return True
    longest = max(re.split(r"[_/=-]", run), key=len)
    return len(longest) >= _PIECE and _kinds(longest) and _changes(longest) >= _MOST_CHANGES


def _kinds(run: str) -> bool:
    """Whether there are capital and small letters, and digits, two of each."""
    counts = (
        sum(map(run.count, "0123456789")),
        sum(character.isupper() for character in run),
        sum(character.islower() for character in run),
    )
    return min(counts) > 1


_CLASSES = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "a" * 26 + "A" * 26 + "0" * 10, "+/_=-.~%"
)


def _changes(run: str) -> float:
    """The part of the places in it where letters of one kind (capital, small, digit) follow those of another."""
    kinds = run.translate(_CLASSES)
    same = sum(one == next_one for one, next_one in pairwise(kinds))
    return 1 - same / (len(kinds) - 1) if len(kinds) > 1 else 0.0


def _has_digit(text: str) -> bool:
    return any(character.isdecimal() for character in text)


_PLACEHOLDER = re.compile(
    r"\$|<|\{|%[\w(]|\*{3}|x{4}|\.\.\.|(?:os|process|env|self|this|config|settings|secrets|vars)\b[.\[]|"
    r"(?:none|null|nil|true|false|undefined|required|optional|string|str|int|bool|bytes|changeme|example|redacted"
    r"|env|input|prompt|getpass|get_\w+|read_\w+|load_\w+|your[_-].*)\W*\Z",
    re.IGNORECASE,
)


def _is_placeholder(found: re.Match[str]) -> bool:
    """Whether something stands for the secret: a variable, a type, a mark of ours."""
    secret = found["secret"]
    is_marked = _MARKED.match(found.string, found.start("secret")) is not None
    return is_marked or _PLACEHOLDER.match(secret) is not None or "${" in secret or "{{" in secret


def _is_random_enough(secret: str) -> bool:
    """Whether a value that is called a secret looks like one: no word, no name, no path."""
    if " " in secret or not _has_digit(secret):
        return len(secret) >= _PIECE and " " not in secret and _changes(secret) >= _MOST_CHANGES
    if secret[0] in "/~." or re.fullmatch(r"[\d.,:_-]+[a-zA-Z]?", secret):
        return False
    letters = sum(character.isalpha() for character in secret)
    return letters > 0 and not re.fullmatch(r"[A-Za-z]+(?:[_.-][A-Za-z]+)*\d?", secret)


def _is_code(secret: str, found: re.Match[str]) -> bool:
    """Whether the value of a pair is more of the program: a name like that of the pair, a call, an attribute."""
    behind = found.string[found.end() : found.end() + 1]
    if found["quote"]:
        return (" " in secret and found["sign"] != "=") or secret.lower() in {
            "password",
            "passwd",
            "secret",
            "username",
        }
    if behind in {"(", "["}:
        return True
    small = secret.lower()
    return SECRET_NAME.search(small) is not None or re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", secret) is not None
