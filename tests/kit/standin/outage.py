"""What a turn does when the API fails: try again, tell it, give up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.kit.directives import Reply
from tests.kit.standin import failures
from tests.kit.standin.results import Ending
from tests.kit.standin.turn_state import TurnState


class Outage:
    """Handles one failed request."""

    def __init__(self, turn: TurnState) -> None:
        self._turn = turn

    def end(self, answer: Reply) -> Ending:
        failure = failures.failure(answer.error)
        self._retry(answer)
        self._turn.replay()
        if not self._turn.world.logged_in():
            return self._gave_up("Not logged in · Please run /login", failure, {}, {"api_error_status": None})
        known = {"api_error_status": answer.error, "api_error_type": failure.api_type}
        if answer.resets_in:
            return self._limited(answer, failure, known)
        words = failure.text.format(code=answer.error)
        if failure.error == "server_error":
            words += f" If it persists, check your inference gateway ({self._turn.world.gateway()})."
        return self._gave_up(words, failure, {"request_id": "req_standin"}, known)

    def _limited(self, answer: Reply, failure: failures.Failure, known: Mapping[str, Any]) -> Ending:
        resets_at = int(time.time()) + answer.resets_in
        info = failures.limit_info(resets_at)
        windows = {"five_hour": {"utilization": 1, "resetsAt": resets_at, "status": "rejected"}}
        self._turn.emit(self._turn.world.events.rate_limit({**info, "unifiedWindows": windows}))
        limit = {
            "request_id": "req_standin",
            "api_error": "usage_limit_reached",
            "api_error_params": {"rate_limit_info": info},
        }
        return self._gave_up(failures.limit_text(resets_at), failure, limit, {**known, "api_error": limit["api_error"]})

    def _gave_up(
        self, words: str, failure: failures.Failure, more: Mapping[str, Any], known: Mapping[str, Any]
    ) -> Ending:
        told = {key: value for key, value in known.items() if value is not None}
        self._turn.emit(
            self._turn.world.events.synthetic(
                words, error=failure.error, is_api_error_message=True, **{**more, **told, **self._turn.first()}
            )
        )
        self._turn.store("assistant", [{"type": "text", "text": words}])
        self._turn.hook("StopFailure", effort={"level": "medium"}, error=failure.error, last_assistant_message=words)
        return Ending(failure.terminal_reason, is_error=True, stop_reason="stop_sequence", text=words, api_error=known)

    def _retry(self, answer: Reply) -> None:
        """Announce and wait for each retry; a subscription's limit and a missing key know none."""
        if answer.resets_in or not self._turn.world.logged_in():
            return
        allowed = self._turn.world.retries()
        for attempt in range(1, failures.attempts(answer.error, allowed) + 1):
            seconds = failures.delay(attempt)
            self._turn.emit(
                self._turn.world.events.system(
                    "api_retry", attempt=attempt, max_retries=allowed, retry_delay_ms=int(seconds * 1000),
                    error_status=answer.error, error=failures.failure(answer.error).retried_as,
                )
            )  # fmt: skip
            self._turn.pause(seconds)
