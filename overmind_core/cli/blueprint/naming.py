"""What the plan in a file is called, also in one that could not be applied any more: whoever ends it needs no more."""

from __future__ import annotations

import tomllib

from overmind_core.cli.blueprint.load import STDIN, content, load, stem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.cli.context import Context


def name_of(path: str, variables: Sequence[tuple[str, str]], context: Context) -> str:
    """Return the name.

    Args:
        path: As the person wrote it, in wire form.
        variables: What `--var` gave; a name may refer to it.
        context: Where problems are told.

    Raises:
        OvermindError: the file can't be read, or the name can only be told from a file without mistakes.
    """
    name = None if path == STDIN else _written(path)
    return load(path, variables, context).name if name is None else name


def _written(path: str) -> str | None:
    """The name as it stands there, or else the file's; None where it takes more to tell."""
    try:
        head = tomllib.loads(content(path).decode()).get("blueprint", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    name = head.get("name", stem(path)) if isinstance(head, dict) else None
    return name if isinstance(name, str) and "${" not in name else None
