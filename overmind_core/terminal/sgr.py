"""SGR both ways: from parameters to a style, and from a style to its parameters.

Source: ECMA-48 8.3.117; XTerm Control Sequences, "CSI Pm m"; ITU T.416 for the colon forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overmind_core.terminal.cells import DEFAULT, FIELDS, Colour, Style, Underline, fields_of, interned

_PLACE = {name: place for place, name in enumerate(FIELDS)}
_BYTE = 255
_DIGITS = 6
"""Of a number; longer ones are nothing that exists, and `int` refuses thousands."""
_FOLLOWING_LIMIT = 512
_INDEXED, _DIRECT = 5, 2

_EFFECTS: dict[int, tuple[tuple[str, object], ...]] = {
    1: (("bold", True),),
    2: (("dim", True),),
    3: (("italic", True),),
    4: (("underline", Underline.SINGLE),),
    5: (("blink", True),),
    6: (("blink", True),),
    7: (("reverse", True),),
    8: (("conceal", True),),
    9: (("strike", True),),
    21: (("underline", Underline.DOUBLE),),
    22: (("bold", False), ("dim", False)),
    23: (("italic", False),),
    24: (("underline", Underline.NONE),),
    25: (("blink", False),),
    27: (("reverse", False),),
    28: (("conceal", False),),
    29: (("strike", False),),
    39: (("foreground", None),),
    49: (("background", None),),
    53: (("overline", True),),
    55: (("overline", False),),
    59: (("underline_colour", None),),
    **{30 + colour: (("foreground", colour),) for colour in range(8)},
    **{40 + colour: (("background", colour),) for colour in range(8)},
    **{90 + colour: (("foreground", 8 + colour),) for colour in range(8)},
    **{100 + colour: (("background", 8 + colour),) for colour in range(8)},
}
_COLOURED = {38: "foreground", 48: "background", 58: "underline_colour"}
_FLAGS = (("bold", 1), ("dim", 2), ("italic", 3), ("blink", 5), ("reverse", 7), ("conceal", 8), ("strike", 9),
          ("overline", 53))  # fmt: skip


def select(style: Style, parameters: str) -> Style:
    """The style after `CSI parameters m`; unknown numbers change nothing, a link stays."""
    values: list[object] = list(fields_of(style))
    rest = [_numbers(parameter) for parameter in parameters.split(";")]
    place = 0
    while place < len(rest):
        place += _apply(values, rest, place)
    selected = interned(tuple(values))
    if len(style.following) >= _FOLLOWING_LIMIT:
        style.following.clear()
    style.following[parameters] = selected
    return selected


def _numbers(parameter: str) -> list[int | None]:
    """A parameter and its subparameters; None where one is left out."""
    return [int(number[:_DIGITS]) if number else None for number in parameter.split(":")]


def _apply(values: list[object], rest: Sequence[Sequence[int | None]], place: int) -> int:
    """Apply the parameter at `place` to the values; how many parameters that took."""
    code, *details = rest[place]
    if code in _COLOURED:
        colour, taken = _nested_colour(details) if details else _flat_colour(rest[place + 1 :])
        if colour is not None:
            values[_PLACE[_COLOURED[code]]] = colour
        return taken
    if not code:
        values[:-1] = fields_of(DEFAULT)[:-1]
    elif code == 4 and details:  # noqa: PLR2004 (SGR 4)
        values[_PLACE["underline"]] = _underline(details[0] or 0)
    else:
        for name, value in _EFFECTS.get(code, ()):
            values[_PLACE[name]] = value
    return 1


def _underline(kind: int) -> Underline:
    return Underline(kind) if kind <= max(Underline) else Underline.SINGLE


def _nested_colour(details: Sequence[int | None]) -> tuple[Colour, int]:
    """`5:n`, `2:r:g:b`, or `2:space:r:g:b` with whatever follows; the parameter itself is one."""
    kind, *numbers = details
    if kind == _INDEXED and numbers:
        return _index(numbers[0] or 0), 1
    if kind == _DIRECT and len(numbers) >= 3:  # noqa: PLR2004 (red, green, blue)
        red, green, blue = (number or 0 for number in (numbers[1:4] if len(numbers) > 3 else numbers))  # noqa: PLR2004
        return (red, green, blue) if max(red, green, blue) <= _BYTE else None, 1
    return None, 1


def _flat_colour(rest: Sequence[Sequence[int | None]]) -> tuple[Colour, int]:
    """`5;n` or `2;r;g;b`, as far as it is there; how many parameters belong to it, the first one included."""
    kind, *numbers = [parameter[0] or 0 for parameter in rest[:4]] or [0]
    if kind == _INDEXED:
        return _index(numbers[0]) if numbers else None, 3
    if kind == _DIRECT:
        if len(numbers) < 3:  # noqa: PLR2004 (red, green, blue)
            return None, 5
        red, green, blue = (number & _BYTE for number in numbers)
        return (red, green, blue), 5
    return None, 2


def _index(number: int) -> Colour:
    return number if number <= _BYTE else None


def parameters_of(style: Style) -> str:
    """What brings the style about from any other: `0;1;38;5;208`. Links are no part of SGR."""
    return ";".join(["0", *_parts(style)])


def _parts(style: Style) -> Iterator[str]:
    for name, code in _FLAGS:
        if getattr(style, name):
            yield str(code)
    if style.underline:
        yield "4" if style.underline is Underline.SINGLE else f"4:{int(style.underline)}"
    yield from _colour_parts(style.foreground, 30)
    yield from _colour_parts(style.background, 40)
    if style.underline_colour is not None:
        yield (
            f"58:5:{style.underline_colour}"
            if isinstance(style.underline_colour, int)
            else ("58:2::" + ":".join(map(str, style.underline_colour)))
        )


def _colour_parts(colour: Colour, base: int) -> Iterator[str]:
    if isinstance(colour, tuple):
        yield f"{base + 8};2;" + ";".join(map(str, colour))
    elif colour is None:
        return
    elif colour < 8:  # noqa: PLR2004 (the eight of ECMA-48)
        yield str(base + colour)
    elif colour < 16:  # noqa: PLR2004 (and their bright ones)
        yield str(base + 60 + colour - 8)
    else:
        yield f"{base + 8};5;{colour}"
