"""What a gate answers about the log of a run, by the reader that every program here uses."""

from __future__ import annotations

import re

from overmind_core.errors import OvermindError
from overmind_core.logs.layout import STREAMS
from overmind_core.logs.run_files import FilePart, LocalRunFiles
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_RUN = re.compile(r"[A-Za-z0-9_-]{1,64}/[0-9]{6,12}(?!\n)")
"""The last two names of a run's folder: the mission, and the number of its run."""


def answer_log(logs: str, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | FilePart]:
    """Return the answer to one request about a run's log, and the bytes that follow it; whoever sends a part closes it.

    Args:
        logs: The folder of all logs.
        request: `op` and `run`, with `stream`, `offset`, `length` or `number`; as hostile as it comes.

    Raises:
        OvermindError: `invalid`.
    """
    run = request.get("run")
    if not isinstance(run, str) or _RUN.fullmatch(run) is None:
        raise OvermindError("invalid", "A gate reads logs alone: run must be MISSION/NUMBER.")
    files = LocalRunFiles(f"{logs}/{run}")
    try:
        match request.get("op"):
            case gate.START:
                return {"ok": files.start(_number(request, "stream", len(STREAMS) - 1))}, b""
            case gate.END:
                return {"ok": files.end(_number(request, "stream", len(STREAMS) - 1))}, b""
            case gate.READ:
                length = min(_number(request, "length"), gate.MOST_BYTES)
                at, part = files.part(_number(request, "stream", len(STREAMS) - 1), _number(request, "offset"), length)
                return {"ok": at, "bytes": part.length if part else 0}, part or b""
            case gate.INDEXES:
                return _indexes(files, _limit(request))
            case gate.INDEX:
                data = files.read_index(_number(request, "number"), _limit(request))
                return {"ok": None, "bytes": len(data)}, data
    except OSError as error:
        raise OvermindError("internal", f"The log of {run} can't be read: {error.strerror}.") from None
    raise OvermindError("invalid", "A gate does not know this question about a log.")


def _indexes(files: LocalRunFiles, length: int) -> tuple[dict[str, Any], bytes]:
    """Answer with the index's segments, and with the first bytes of the newest ones when a `length` was given."""
    numbers = files.index_numbers()
    if length < 0:
        return {"ok": numbers}, b""
    heads = [files.read_index(number, min(length, gate.HEAD)) for number in numbers[-gate.MOST_HEADS :]]
    data = b"".join(heads)
    return {"ok": numbers, "heads": [len(head) for head in heads], "bytes": len(data)}, data


def _number(request: Mapping[str, Any], name: str, most: int = 1 << 62) -> int:
    value = request.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise OvermindError("invalid", f"{name} must be a whole number from 0 to {most}.")
    return value


def _limit(request: Mapping[str, Any]) -> int:
    limit = request.get("length", -1)
    return limit if isinstance(limit, int) and 0 <= limit <= gate.MOST_BYTES else -1
