r"""The keys that detach a person from a terminal, in every way in which terminals send them, and their configuration.

ctrl-\ is the byte 0x1C; after a program asked for more (kitty's protocol, xterm's modifyOtherKeys) it is
`CSI 92;5u` or `CSI 27;5;92~`, with more fields as the terminal likes. config.toml may name more of them:

```toml
[attach]
detach_keys = ["ctrl-]"]   # leave the terminal as ctrl-\ does
```

Source: the kitty keyboard protocol; XTerm Control Sequences, modifyOtherKeys.
"""

from __future__ import annotations

import re
from collections import namedtuple

from overmind_core.errors import OvermindError
from overmind_core.system.small_file import read_small_file

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


_KITTY = re.compile(
    rb"\x1b\[(?P<code>\d{1,7})(?::(?P<shifted>\d{0,7}))?(?::(?P<base>\d{0,7}))?"
    rb"(?:;(?P<modifiers>\d{0,4})(?::(?P<event>\d))?)?(?:;[\d:]*)?u"
)
_OTHER = re.compile(rb"\x1b\[27;(?P<modifiers>\d{1,4});(?P<code>\d{1,7})~")
_SHIFT, _CTRL = 1, 4
_LOCKS = 64 | 128
"""Caps and num lock count as modifiers too."""
_RELEASE = b"3"
_CONTROL = 0x1F
_ASCII = 0x7F
_TAKEN = {"c": "interrupts", "i": "is Tab", "j": "is a new line", "m": "is Enter", "[": "is Esc"}
_NOTATION = re.compile(r"(?:ctrl[-+]|c-|\^)(space|[a-z@\[\\\]^_])", re.IGNORECASE)


class DetachKey(namedtuple("Key", ("code",))):  # noqa: PYI024 - typing costs start-up
    """ctrl and a character, given by its code."""

    __slots__ = ()

    @property
    def byte(self) -> int:
        """The byte that terminals send for it by default."""
        return int(self.code & _CONTROL)

    @property
    def name(self) -> str:
        """As a person writes it."""
        return f"ctrl-{chr(self.code)}"


DEFAULT_KEY = DetachKey(ord("\\"))


def parse_key(text: str) -> DetachKey:
    r"""The key of `ctrl-]`, `ctrl+]`, `C-]` or `^]`. Raises ValueError with a text for the person."""
    found = _NOTATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a key: write ctrl- and a letter or one of \\ ] ^ _ @, such as ctrl-]")
    character = found[1].lower().replace("space", "@")
    if character in _TAKEN:
        raise ValueError(f"{text!r} can't detach: it {_TAKEN[character]}")
    return DetachKey(ord(character))


def is_pressed(sequence: bytes, keys: Iterable[DetachKey]) -> bool:
    """Whether an escape sequence says that one of the keys was pressed (or is held; not: released)."""
    found = _KITTY.fullmatch(sequence)
    if found is not None:
        if found["event"] == _RELEASE:
            return False
        codes = [int(found[field] or 0) for field in ("code", "shifted", "base")]
        return any(_matches(codes, int(found["modifiers"] or 1), key) for key in keys)
    found = _OTHER.fullmatch(sequence)
    return found is not None and any(_matches([int(found["code"]), 0, 0], int(found["modifiers"]), key) for key in keys)


def _matches(codes: list[int], modifiers: int, key: DetachKey) -> bool:
    """`codes`: of the key as it is, with shift, and on a US keyboard (0: unknown)."""
    code, shifted, base = codes
    held = (modifiers - 1) & ~_LOCKS
    if held == _CTRL:
        # Where a keyboard has other letters than Latin ones, its place on a US keyboard counts.
        return code == key.code or (code > _ASCII and base == key.code)
    return held == _CTRL | _SHIFT and shifted == key.code


def detach_keys(path: str) -> list[DetachKey]:
    """The keys that the file names; none where it names none.

    Raises:
        OvermindError: `invalid_config`, it can't be read, or names what is no key.
    """
    try:
        data = read_small_file(path)
    except OSError as error:
        raise OvermindError("invalid_config", f"{path} can't be read: {error.strerror}. Make it readable.") from None
    if data is None:
        return []
    import tomllib  # noqa: PLC0415 - most homes have no configuration

    try:
        text = data.decode()
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise OvermindError(
            "invalid_config", f"{path}: line {line} is not valid UTF-8. Save the file as UTF-8."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise OvermindError("invalid_config", f"{path}: {error}") from None
    table = document.get("attach", {})
    _refuse_unknown(path, text, table)
    return _parsed_keys(path, table)


def _refuse_unknown(path: str, text: str, table: object) -> None:
    """A key with a slip in it would leave a person without the way out that was meant."""
    from overmind_core.domain.configuration import unknown_keys  # noqa: PLC0415 - as above
    from overmind_core.domain.text.toml_lines import line_of  # noqa: PLC0415 - as above

    for name, sentence in unknown_keys("attach", table) if isinstance(table, dict) else ():
        raise OvermindError("invalid_config", f"{path}:{line_of(text, ('attach', name))}: {sentence}")


def _parsed_keys(path: str, values: Any) -> list[DetachKey]:  # noqa: ANN401 - whatever the file holds
    names = values.get("detach_keys", []) if isinstance(values, dict) else None
    if not isinstance(names, list):
        raise OvermindError("invalid_config", f'{path}: attach.detach_keys: write a list, such as ["ctrl-]"]')
    try:
        return [parse_key(str(name)) for name in names]
    except ValueError as error:
        raise OvermindError("invalid_config", f"{path}: attach.detach_keys: {error}") from None
