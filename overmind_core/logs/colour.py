"""Which colours are on: SGR sequences folded into a state that can be closed and opened again at any line.

A style is a tuple with one parameter for each of `_SLOTS` ("" = off); it is never longer than that, whatever
an agent sends. Concealed text (SGR 8) is shown: a log hides nothing.
"""

from __future__ import annotations

from functools import lru_cache

Style = tuple[str, ...]
RESET = "\x1b[0m"

_SLOTS = ("bold", "faint", "italic", "underline", "blink", "inverse", "strike", "overline", "text", "ground", "line")
PLAIN: Style = ("",) * len(_SLOTS)

_ON = {
    "1": "bold", "2": "faint", "3": "italic", "4": "underline", "21": "underline", "5": "blink", "6": "blink",
    "7": "inverse", "9": "strike", "53": "overline",
    **{str(code): "text" for code in (*range(30, 38), *range(90, 98))},
    **{str(code): "ground" for code in (*range(40, 48), *range(100, 108))},
}  # fmt: skip
_OFF = {
    "22": ("bold", "faint"), "23": ("italic",), "24": ("underline",), "25": ("blink",), "27": ("inverse",),
    "29": ("strike",), "39": ("text",), "49": ("ground",), "55": ("overline",), "59": ("line",), "4:0": ("underline",),
}  # fmt: skip
_EXTENDED = {"38": "text", "48": "ground", "58": "line"}
_EXTENDED_LENGTH = {"5": 3, "2": 5}
"""Parameters of `38;5;n` and of `38;2;r;g;b`."""


@lru_cache(maxsize=2048)
def restyled(style: Style, parameters: str) -> Style:
    """`style` after the SGR sequence with these parameters (`1;31`, also with colons); unknown ones change nothing."""
    state = dict(zip(_SLOTS, style, strict=True))
    codes = parameters.split(";")
    while codes:
        del codes[: _apply(state, codes)]
    return tuple(state.values())


@lru_cache(maxsize=2048)
def opening(style: Style) -> str:
    """The sequence that turns `style` on from nothing; empty for `PLAIN`."""
    codes = [code for code in style if code]
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _apply(state: dict[str, str], codes: list[str]) -> int:
    """Apply the first of `codes`; the number of codes that it used up."""
    code = codes[0].lstrip("0")
    if not code:
        state.update(dict.fromkeys(state, ""))
    elif code in _ON:
        state[_ON[code]] = code
    elif code in _OFF:
        state.update(dict.fromkeys(_OFF[code], ""))
    elif code in _EXTENDED:
        return _apply_extended(state, _EXTENDED[code], codes)
    else:
        _apply_colons(state, code)
    return 1


def _apply_extended(state: dict[str, str], slot: str, codes: list[str]) -> int:
    length = _EXTENDED_LENGTH.get(codes[1] if len(codes) > 1 else "", 1)
    used = codes[:length]
    if 1 < length == len(used) and all(code.isdigit() for code in used):
        state[slot] = ";".join(used)
    return length


def _apply_colons(state: dict[str, str], code: str) -> None:
    """`38:2::r:g:b` and `4:3`: one parameter with parts of its own."""
    head, separator, rest = code.partition(":")
    slot = _EXTENDED.get(head) or ("underline" if head == "4" else None)
    if slot and separator and rest.replace(":", "").isdigit():
        state[slot] = code
