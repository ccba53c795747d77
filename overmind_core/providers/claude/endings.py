"""What the end of a run of `claude` means: exit code, last result and what it said on standard error together."""

from __future__ import annotations

import re

from overmind_core.domain.agent import Mode
from overmind_core.domain.agentfacts import Result, Retry, Verdict
from overmind_core.providers.claude import results

_USAGE = re.compile(r"^error: (unknown option|unknown command|option|too many arguments|missing)", re.MULTILINE)
_REFUSED = re.compile(r"cannot be used with root|requires --verbose|only works with --print", re.IGNORECASE)


def verdict(code: int, last: Result | None, errors: str, *, mode: Mode, resumed: bool) -> Verdict:
    """See `Provider.verdict`."""
    if code != 0 and (last is None or last.retry is Retry.SWITCH) and _wrong_start(errors, resumed=resumed):
        return Verdict(failed=True, reason=results.WRONG_START, retry=Retry.SWITCH)
    if code not in {0, 1}:  # a signal, or a program that is no claude: the code says it all
        return Verdict(failed=True)
    if last is None:
        return _without_result(code, errors, mode)
    if last.ok or (last.interrupted and mode is not Mode.ONE_SHOT):  # a person's interrupt is no failure of the agent
        return Verdict(failed=False)
    return Verdict(failed=True, reason=last.reason, retry=last.retry, resume_at=last.resume_at)


def _wrong_start(errors: str, *, resumed: bool) -> bool:
    return (results.UNKNOWN_CONVERSATION if resumed else results.KNOWN_CONVERSATION) in errors


def _without_result(code: int, errors: str, mode: Mode) -> Verdict:
    if code == 0:
        return Verdict(failed=True, reason="no_result") if mode is Mode.ONE_SHOT else Verdict(failed=False)
    if _USAGE.search(errors) or _REFUSED.search(errors):
        return Verdict(failed=True, reason="usage_error", retry=Retry.NEVER)
    if results.api_reason(errors, 0) == "not_logged_in":
        return Verdict(failed=True, reason="not_logged_in", retry=Retry.NEVER)
    return Verdict(failed=True)
