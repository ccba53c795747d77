"""The HTTP status of each error code."""

from __future__ import annotations

_STATUS = {
    "empty_command": 400, "cycle": 400, "ambiguous": 400,
    "unauthorized": 401, "forbidden": 403,
    "not_found": 404, "unknown_command": 404, "parent_not_found": 404,
    "gone": 410, "too_large": 413, "misdirected": 421,
    "internal": 500, "busy": 503, "timeout": 504,
}  # fmt: skip


def http_status(code: str) -> int:
    """Return the status for an error code."""
    if code.startswith("invalid"):
        return 400
    if code.startswith("daemon_"):
        return 503
    return _STATUS.get(code, 409)
