"""The HTTP status of an error: what clients and proxies decide by."""

from __future__ import annotations

from overmind_core.errors import CODES
from overmind_web.server.status import http_status
from tests.kit.cases import tabled

STATUSES = {
    "invalid": 400, "invalid_config": 400, "invalid_cron": 400, "empty_command": 400, "cycle": 400, "ambiguous": 400,
    "unauthorized": 401, "forbidden": 403, "not_found": 404, "unknown_command": 404, "parent_not_found": 404,
    "gone": 410, "too_large": 413, "misdirected": 421, "internal": 500, "busy": 503, "timeout": 504,
    "daemon_not_running": 503, "daemon_lost": 503,
}  # fmt: skip
"""Others have 409."""


@tabled("code", sorted({*CODES, *STATUSES}))
def test_each_code_has_its_status(code):
    assert http_status(code) == STATUSES.get(code, 409)
