"""Tokens and money: of a turn, since the last result, and over a conversation's whole life."""

from __future__ import annotations

from typing import Any

INPUT_PRICE, OUTPUT_PRICE = 4e-6, 20e-6
"""US dollars for a token."""
SYSTEM_PROMPT = 12_300
"""Tokens of a request before anything was said."""

Figures = dict[str, Any]


class Meter:
    """Counts what requests cost.

    Args:
        model: Whose prices.
        total: What earlier processes of the conversation saved: model → figures.
    """

    def __init__(self, model: str, total: dict[str, Figures]) -> None:
        self._model = model
        self.total = total
        self.since_result: dict[str, Figures] = {}
        self._turn = (0, 0)

    def request(self, said: int, answered: int, *, finished: bool = True) -> None:
        """Count one request.

        Args:
            said: Characters sent, beyond the system prompt.
            answered: Characters that came back.
            finished: An interrupted one costs its input and one token, and is no part of the turn's usage.
        """
        tokens = (input_tokens(said), answered // 4 + 1 if finished else 1)
        for sums in (self.total, self.since_result):
            sums[self._model] = _add(sums.get(self._model), *tokens)
        if finished:
            self._turn = (self._turn[0] + tokens[0], self._turn[1] + tokens[1])

    def spend(self, dollars: float) -> None:
        """Count one request that cost so much and read for it."""
        tokens = round(dollars / INPUT_PRICE)
        for sums in (self.total, self.since_result):
            sums[self._model] = _add(sums.get(self._model), tokens, 0)
        self._turn = (self._turn[0] + tokens, self._turn[1])

    def dollars(self) -> float:
        """What the conversation has cost so far."""
        return float(sum(figures["costUSD"] for figures in self.total.values()))

    def take_turn(self) -> tuple[Figures, dict[str, Figures]]:
        """Return this turn's usage and the figures since the last result, and begin both anew."""
        taken = usage(*self._turn), self.since_result
        self._turn, self.since_result = (0, 0), {}
        return taken


def input_tokens(said: int) -> int:
    """Tokens of a request that carries `said` characters beyond the system prompt."""
    return SYSTEM_PROMPT + said // 4


def usage(read: int, written: int) -> Figures:
    """Return the usage of a result line."""
    return {
        "input_tokens": read,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": written,
        "output_tokens_details": {"thinking_tokens": 0},
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": "standard",
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "inference_geo": "",
        "iterations": [],
        "speed": "standard",
        "fallback_credit": None,
    }


def _add(before: Figures | None, read: int, written: int) -> Figures:
    read += before["inputTokens"] if before else 0
    written += before["outputTokens"] if before else 0
    return {
        "inputTokens": read,
        "outputTokens": written,
        "cacheReadInputTokens": 0,
        "cacheCreationInputTokens": 0,
        "webSearchRequests": 0,
        "costUSD": read * INPUT_PRICE + written * OUTPUT_PRICE,
        "contextWindow": 1000000,
        "maxOutputTokens": 128000,
        "thinkingTokens": 0,
        "cacheCreationEphemeral5mInputTokens": 0,
        "cacheCreationEphemeral1hInputTokens": 0,
        "canonicalModel": "claude-opus-5-5",
        "provider": "firstParty",
        "costBasis": "list",
    }
