"""How a turn ended: the program's result line as a `Result`.

Neither its `subtype` nor the exit code alone says whether it went well: an API error comes as `success` with
`is_error`, an interrupted turn ends the program with 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from overmind_core.domain.agentfacts import Result, Retry, Usage
from overmind_core.providers.objects import Object, count, items, number, objects, part, text

UNKNOWN_CONVERSATION = "No conversation found"
KNOWN_CONVERSATION = "is already in use"

_INTERRUPTED = frozenset({"aborted_streaming", "aborted_tools"})
_NOT_LOGGED_IN = re.compile(r"not logged in|run /login|login expired|sign in again|invalid api key", re.IGNORECASE)
_LIMIT = re.compile(r"usage limit reached|you.ve hit your .{0,80}limit", re.IGNORECASE)
_LIMIT_END = re.compile(r"limit reached\|(\d{9,12})")
_NO_CREDIT = re.compile(
    r"credit balance (is )?too low|spend limit|(out of|requires|needs) usage credits", re.IGNORECASE
)

_STATUS = re.compile(r"API Error(?:: (\d{3})\b)?")

REASONS: Mapping[str, str] = {
    "error_max_turns": "max_turns",
    "error_max_budget_usd": "max_cost",
    "error_max_structured_output_retries": "no_structured_output",
}
"""By subtype."""

FINAL = frozenset({"not_logged_in", "max_turns", "max_cost", "no_structured_output"})
"""Reasons with which another run would end the same way."""

LIMITED = "limited"
NO_CREDIT = "no_credit"
INTERRUPTED = "interrupted"
WRONG_START = "wrong_start"
"""The conversation was to be resumed and does not exist, or to be begun and does."""


def read(line: Object) -> Result:
    """The result in a line of type `result`."""
    said = _said(line)
    ok = text(line, "subtype") == "success" and line.get("is_error") is not True
    reason = None if ok else _reason(line, said)
    end = limit_end(said) if reason == LIMITED else None
    return Result(
        ok=ok,
        reason=reason,
        text=said,
        retry=_retry(reason, end),
        resume_at=end,
        cost_total=number(line, "total_cost_usd"),
        cost_turn=_cost_turn(line),
        usage=usage(part(line, "usage")),
        duration_ms=number(line, "duration_ms") or 0.0,
        turns=count(line, "num_turns"),
        raw=line,
    )


def usage(found: Object) -> Usage:
    """The tokens of one turn."""
    return Usage(
        input=count(found, "input_tokens"),
        output=count(found, "output_tokens"),
        cache_read=count(found, "cache_read_input_tokens"),
        cache_write=count(found, "cache_creation_input_tokens"),
    )


def limit_end(said: str) -> float | None:
    """When the usage limit ends, where the text carries it: `… limit reached|<seconds since the epoch>`."""
    found = _LIMIT_END.search(said)
    return float(found[1]) if found else None


def _said(line: Object) -> str:
    errors = "\n".join(error for error in items(line, "errors") if isinstance(error, str))
    return text(line, "result") or errors


def _reason(line: Object, said: str) -> str:
    subtype, ended, status = text(line, "subtype"), text(line, "terminal_reason"), count(line, "api_error_status")
    if ended in _INTERRUPTED:
        return INTERRUPTED
    if UNKNOWN_CONVERSATION in said:
        return WRONG_START
    if subtype in REASONS:
        return REASONS[subtype]
    if reason := api_reason(said, status):
        return reason
    return ended if ended and ended != "completed" else subtype.removeprefix("error_") or "failed"


def api_reason(said: str, status: int) -> str | None:
    """Why the API did not answer, from what the program says of it and the HTTP status (0: none)."""
    if _NO_CREDIT.search(said):
        return NO_CREDIT
    if _LIMIT.search(said):
        return LIMITED
    if _NOT_LOGGED_IN.search(said):
        return "not_logged_in"
    named = _STATUS.search(said)
    if not status and named is None:
        return None
    return f"api_error {status or (named and named[1]) or ''}".rstrip()


def _retry(reason: str | None, end: float | None) -> Retry:
    if reason == WRONG_START:
        return Retry.SWITCH
    if end is not None:
        return Retry.WAIT
    return Retry.NEVER if reason in FINAL else Retry.POLICY


def _cost_turn(line: Object) -> float | None:
    """The sum over all models since the last result; None where the program doesn't tell."""
    models = line.get("model_usage_since_last_result")
    if not isinstance(models, dict):
        return None
    costs = (number(model, "costUSD") for model in objects({"models": [*models.values()]}, "models"))
    return sum(cost for cost in costs if cost is not None)
