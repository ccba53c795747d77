"""The lines of a conversation's file: use and cost, of this conversation alone."""

from __future__ import annotations

import json

import pytest

from overmind_core.domain.agents.agent_events import CostTotalled, ModelCalled
from overmind_core.providers.claude import conversation_file
from overmind_core.providers.claude.conversation_file import figure
from tests.kit.cases import tabled

USAGE = {"input_tokens": 3, "output_tokens": 4}
CALL = {
    "type": "assistant",
    "timestamp": "2026-01-01T00:00:10Z",
    "message": {"id": "m1", "model": "claude-x", "usage": USAGE},
}
SINCE = 1767225600.0  # 2026-01-01T00:00:00Z


def figure_of(since=SINCE, **line):
    return figure(json.dumps(line).encode(), since)


@tabled(
    ("line", "kind"),
    [
        (CALL, ModelCalled),
        ({**CALL, "type": "user"}, None),
        ({**CALL, "type_": "assistant", "type": ""}, None),
        ({**CALL, "timestamp": "2025-12-31T23:59:59Z"}, None),
        ({**CALL, "timestamp": "never"}, ModelCalled),
        ({"type": "cost-state", "totalCostUSD": 0.25}, CostTotalled),
        ({"type": "cost-state"}, None),
    ],
)
def test_only_calls_of_this_conversation_since_its_start_and_its_total_count(line, kind):
    assert type(figure_of(**line)) is (kind or type(None))


def test_what_is_no_line_tells_nothing():
    assert figure(b'{"type":"assistant"', SINCE) is None
    assert figure(b"", SINCE) is None


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (b"", False),
        (b'{"type": "cost-state", "totalCostUSD": 0.04}\n', False),
        (b'{"type":"summary"}\n{"type":"user","message":{}}\n', True),
        (b'{"type": "assistant"', True),
    ],
)
def test_a_record_without_a_word_is_no_conversation(record, said):
    assert conversation_file.has_turn(record) is said


@pytest.mark.parametrize(
    ("environ", "pattern"),
    [
        ({"HOME": "/h"}, "/h/.claude/projects/*/{session}.jsonl"),
        ({"HOME": "/h", "CLAUDE_CONFIG_DIR": "/c"}, "/c/projects/*/{session}.jsonl"),
        ({}, None),
    ],
)
def test_records_are_where_the_program_looks_for_them(environ, pattern):
    assert conversation_file.kept_in(environ) == pattern
