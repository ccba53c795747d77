"""The same request for several missions: all are tried, the failing ones are told, the exit status says if any did."""

from __future__ import annotations

from overmind_core.cli.main import tell
from overmind_core.cli.output import dumps
from overmind_core.errors import FAILED, OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.client.calls import Client

    Answer = Mapping[str, Any]


def each(
    context: Context,
    client: Client,
    command: str,
    requests: Sequence[Mapping[str, Any]],
    *,
    line: Callable[[Answer], str],
    as_json: bool = False,
) -> int:
    """Send the requests side by side and print what came of each, in their order.

    Args:
        context: Where to print.
        client: Whom to ask.
        command: Its name on the socket.
        requests: The arguments of each.
        line: Says of an answer what was done; may be several lines.
        as_json: Print the answers as one array instead.
    """
    answers = client.call_each(command, requests)
    done = [answer for answer in answers if not isinstance(answer, OvermindError)]
    if as_json:
        context.say(dumps(done))
    for answer in answers:
        if isinstance(answer, OvermindError):
            tell(answer, context)
        elif not as_json:
            context.say(line(answer))
    return 0 if len(done) == len(answers) else FAILED
