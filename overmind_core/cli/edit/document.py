"""A definition as TOML with comments, and TOML as a definition. Pure."""

from __future__ import annotations

import re

from overmind_core.cli.edit.keys import AGENT, AGENT_TITLE, ALONE, ENV, LABELS, ROOT, Key, Kind
from overmind_core.cli.edit.mistake import Mistake, line_of
from overmind_core.domain.suggest import meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

_TABLES = ("labels", "env", "agent")


def written(answer: Mapping[str, Any]) -> str:
    """Return what `definition` answered as a text to edit."""
    terms = answer["definition"]
    what = f"{answer['provider']} {answer['type']}" if answer["provider"] != "raw" else str(answer["type"])
    lines = [f"# Mission {answer['id']} ({answer['name']}), a {what}. A line that is left out means the default.", ""]
    lines += _keys(ROOT, terms)
    lines += [f"# {LABELS}", "[labels]", *_pairs(terms["labels"]), "", f"# {ENV}", "[env]", *_pairs(terms["env"])]
    if terms["agent"] is not None:
        lines += ["", f"# {AGENT_TITLE}", "[agent]", *_keys(AGENT, terms["agent"])]
    return "\n".join(lines).rstrip("\n") + "\n"


def _keys(keys: Iterable[Key], values: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for key in keys:
        value = values[key.name]
        if value is None and key.name in ALONE:
            continue
        if key.comment and lines and not (key.comment[0].islower()):
            lines.append("")
        if key.comment:
            lines.append(f"# {key.comment}")
        lines.append(f"# {key.name} = {key.example}" if value is None else f"{key.name} = {_value(value)}")
    return [*lines, ""]


def _pairs(values: Mapping[str, str]) -> list[str]:
    import tomlkit  # it costs 30 ms, and only editing needs it

    return [f"{tomlkit.key(name).as_string()} = {_value(value)}" for name, value in sorted(values.items())]


def _value(value: Any) -> str:  # noqa: ANN401 - whatever TOML can hold
    import tomlkit  # it costs 30 ms, and only editing needs it

    if isinstance(value, str) and "\n" in value:
        return '"""\n' + "\n".join(map(_line, value.split("\n"))) + '"""'
    return str(tomlkit.item(value).as_string())


def _line(text: str) -> str:
    """Return a line of a text of several; its quotes stay as they are unless they could be taken for the text's end."""
    import tomlkit  # it costs 30 ms, and only editing needs it

    escaped = str(tomlkit.string(text).as_string())[1:-1]
    if '""' in text or text.endswith('"'):
        return escaped
    return re.sub(r"\\(.)", lambda at: '"' if at[1] == '"' else at[0], escaped)


def read(text: str) -> dict[str, Any]:
    """Return the terms that a text says, for the request `redefine`.

    Raises:
        Mistake: with the line.
    """
    import tomlkit  # it costs 30 ms, and only editing needs it
    from tomlkit.exceptions import ParseError, TOMLKitError

    try:
        found = tomlkit.parse(text).unwrap()
    except ParseError as error:
        raise Mistake(error.line, str(error).partition(" at line ")[0]) from None
    except TOMLKitError as error:
        raise Mistake(1, str(error)) from None
    return _checked(found, text)


def _checked(found: dict[str, Any], text: str) -> dict[str, Any]:
    _check(found, ROOT, (), text, also=_TABLES)
    for table in _TABLES:
        if not isinstance(found.get(table, {}), dict):
            raise Mistake(line_of(text, (table,)), f"{table}: write a table, [{table}]")
    for table in ("labels", "env"):
        for name, value in found.get(table, {}).items():
            _check_value(Key(name, "", Kind.TEXT), value, (table, name), text)
    if "agent" in found:
        _check(found["agent"], AGENT, ("agent",), text)
    for name in ("name", "cwd"):
        if name not in found:
            raise Mistake(1, f"{name}: it is missing")
    return found


def _check(
    values: Mapping[str, Any], keys: Sequence[Key], above: tuple[str, ...], text: str, *, also: Sequence[str] = ()
) -> None:
    known = {key.name: key for key in keys}
    for name, value in values.items():
        if name in known:
            _check_value(known[name], value, (*above, name), text)
        elif name not in also:
            hint = meant(name, [*known, *also])
            raise Mistake(line_of(text, (*above, name)), f"{'.'.join((*above, name))}: there is no such key.{hint}")


def _check_value(key: Key, value: object, path: tuple[str, ...], text: str) -> None:
    if not _fits(key.kind, value):
        raise Mistake(line_of(text, path), f"{'.'.join(path)}: write {key.kind.value}")


def _fits(kind: Kind, value: object) -> bool:
    if isinstance(value, bool):
        return kind is Kind.FLAG
    if isinstance(value, list):
        return kind in {Kind.TEXTS, Kind.COMMAND} and all(isinstance(one, str) for one in value)
    return any(isinstance(value, one) for one in _TYPES.get(kind, ()))


_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.COMMAND: (str,),
    Kind.WHOLE: (int,),
    Kind.MONEY: (int, float),
    Kind.TIME: (int, float, str),
    Kind.SIGNAL: (int, str),
}
