"""Commands inside of a container, with a limit of time, which the SDK's call lacks; and its output as text."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

LONGEST_OUTPUT = 65536
"""Bytes that are kept of it, about."""
HEADER = 8
"""Bytes before each piece of output: which stream, three of nothing, its length (big-endian)."""
LATE = 124
"""The exit code of a command that did not end in time, as of timeout(1)."""


def run(client: Any, container: str, command: str, seconds: float) -> tuple[int, bytes]:
    """Run `command` with the container's `sh`; returns its exit code and its output.

    A command that takes longer than `seconds` is left behind, with `LATE`.
    """
    made = client.exec_create(container, ["sh", "-c", command])["Id"]
    response = _started(client, made, seconds)
    try:
        written, ended = _read(response.raw, seconds)
    finally:
        response.close()
    if not ended:
        return LATE, written + b"(did not end within %g s)" % seconds
    return _exit_code(client, made), written


def _started(client: Any, made: str, seconds: float) -> Any:
    """The answer whose body is the output.

    Not by the SDK: it takes the socket over, and then forgets to close it, and loses what came with the header.
    """
    import docker.errors
    import requests.exceptions

    url = f"{client.base_url}/v{client.api_version}/exec/{made}/start"
    response = client.post(url, json={"Detach": False, "Tty": False}, stream=True, timeout=seconds)
    try:
        response.raise_for_status()
    except requests.exceptions.HTTPError as error:
        docker.errors.create_api_error_from_http_exception(error)  # raises
    return response


def _read(raw: Any, seconds: float) -> tuple[bytes, bool]:
    """What was written up to the end, and whether the end came in time."""
    import urllib3.exceptions

    deadline = time.monotonic() + seconds
    written = bytearray()
    try:
        while time.monotonic() < deadline:
            header = raw.read(HEADER)
            if len(header) < HEADER:
                return bytes(written), True
            piece = raw.read(int.from_bytes(header[4:], "big"))
            if len(written) < LONGEST_OUTPUT:
                written += piece
    except urllib3.exceptions.TimeoutError:
        pass
    return bytes(written), False


def _exit_code(client: Any, made: str) -> int:
    """Ask until the engine knows: it closes the output a moment before it has waited for the process."""
    for _ in range(50):
        seen = client.exec_inspect(made)
        if not seen["Running"] and seen["ExitCode"] is not None:
            return int(seen["ExitCode"])
        time.sleep(0.02)
    return LATE


LONGEST_TAIL = 4000
"""Characters of a tail: it stands in a message for people."""
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Sequences for a terminal, and other characters that are not text."""


def text(written: bytes) -> str:
    """Readable lines of what a container wrote, without what would drive a terminal."""
    return CONTROL.sub("", written.decode("utf-8", "replace"))


def tail(written: bytes) -> str:
    """The same, cut at its beginning to what a message can carry."""
    return text(written).strip("\n")[-LONGEST_TAIL:]


def seconds(moment: str) -> float | None:
    """The engine's RFC 3339 with nanoseconds as seconds since the epoch; None for "never" (the year 1)."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", moment)
    if match is None or moment.startswith("0001-"):
        return None
    whole, fraction, zone = match.groups()
    return datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp() + float(fraction or 0)


def run_began(state: Mapping[str, Any]) -> float | None:
    """Seconds since the epoch after which all output is the current run's; None: all there is.

    That is the end of the run before: the engine notes a start after the first lines may have been written.
    """
    started, finished = seconds(state.get("StartedAt", "")), seconds(state.get("FinishedAt", ""))
    if started is None or finished is None:
        return None
    return min(started, finished)
