"""What git or a hook has said, beside the sentence of a refusal."""

from __future__ import annotations

from contextlib import contextmanager

from overmind_core.cli.isolation.difftext import safe_line
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.cli.context import Context


@contextmanager
def told_in_full(context: Context) -> Iterator[None]:
    """Show on stderr all that was said, where that is more than the refusal has."""
    try:
        yield
    except OvermindError as error:
        lines = str(error.fields.get("output") or "").split("\n")
        if len(lines) > 1:
            context.note("\n".join(map(safe_line, lines)))
        raise
