"""How the API fails, and what the program says about it. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

RETRY_DELAY = 0.5
"""Seconds before the first retry; doubles."""
OVERLOADED = 529
OVERLOADED_RETRIES = 2
"""An overloaded API is asked no more often, whatever is allowed."""


class Failure(NamedTuple):
    """One status of the API."""

    api_type: str
    error: str
    """The program's name for it."""
    text: str
    retried_as: str = ""
    """Its name in lines about retries; "" = it is final."""
    terminal_reason: str = "api_error"


SERVER = "API Error: {code} stub error {code}. This is a server-side issue, usually temporary — try again in a moment."
LOGIN = "Failed to authenticate. API Error: {code} stub error {code}"
TOO_LARGE = (
    "Request too large (max 32MB). Accumulated images and attachments in the conversation pushed the request over the "
    "limit. Remove older images or compact the conversation."
)
NO_MODEL = "There's an issue with the selected model. It may not exist or you may not have access to it."
TABLE: Mapping[int, Failure] = {
    400: Failure("invalid_request_error", "unknown", "API Error: {code} stub error {code}"),
    401: Failure("authentication_error", "authentication_failed", LOGIN, "authentication_failed"),
    403: Failure("permission_error", "authentication_failed", LOGIN),
    404: Failure("not_found_error", "model_not_found", NO_MODEL),
    413: Failure("request_too_large", "invalid_request", TOO_LARGE, terminal_reason="image_error"),
    429: Failure("rate_limit_error", "rate_limit", "API Error: Request rejected (429) · stub error 429", "rate_limit"),
    500: Failure("api_error", "server_error", SERVER, "server_error"),
    529: Failure("overloaded_error", "server_error", SERVER, "overloaded"),
}


def failure(status: int) -> Failure:
    """Return what holds for a status."""
    return TABLE.get(status, TABLE[500])


def attempts(status: int, allowed: int) -> int:
    """How often the program asks again."""
    if not failure(status).retried_as:
        return 0
    return min(allowed, OVERLOADED_RETRIES) if status == OVERLOADED else allowed


def delay(attempt: int) -> float:
    """Seconds before retry number `attempt`, from 1."""
    return float(RETRY_DELAY * 2 ** (attempt - 1))


def limit_info(resets_at: int) -> Mapping[str, Any]:
    """A subscription's limit that resets at this time, in seconds since the epoch."""
    return {"status": "rejected", "resetsAt": resets_at, "rateLimitType": "five_hour", "isUsingOverage": False}


def limit_text(resets_at: int) -> str:
    """What a person is told about that limit."""
    moment = time.gmtime(resets_at)
    hour = moment.tm_hour % 12 or 12
    half = "am" if moment.tm_hour < 12 else "pm"
    return f"You've hit your 5-hour limit · resets {hour}:{moment.tm_min:02d}{half} (UTC)"
