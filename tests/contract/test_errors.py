"""Mistakes: each is named, says what to do, starts nothing and records nothing."""

from __future__ import annotations

import pytest

from overmind_core import errors

pytestmark = pytest.mark.shared_home

CODES = """
not_found not_running not_session not_finished not_attached name_taken ambiguous paused timeout exited empty_command
parent_not_found cycle invalid invalid_config invalid_cron cwd_not_found unknown_provider provider_missing
docker_missing unknown_command daemon_not_running daemon_lost too_large busy forbidden survivors gone schema_newer
untrusted_project disk_full no_terminals port_range_exhausted internal not_isolated git_failed dirty unmerged conflicts
conflict_left undoes_landed nothing_to_commit nothing_to_merge verify_failed setup_failed not_ready image_missing
container_failed memory_off cortex_unreachable token_refused unauthorized misdirected swarm_silent hive_unknown fenced
hive_silent no_swarm outcome_unknown no_room no_secret draft work_lost changed
unreviewed
"""
"""The closed set."""


def test_the_error_codes_are_the_closed_set():
    assert set(errors.CODES) == set(CODES.split())
    assert [code for code, (status, _) in errors.CODES.items() if status == 0] == ["not_attached"]


@pytest.mark.parametrize("message", ["Connection refused", "Connection refused.", "Is it there?"])
def test_a_hint_is_a_sentence_of_its_own_behind_the_words_of_others(message):
    said = errors.with_hint(message, "To leave all the same: overmind swarm leave --force")
    end = "" if message.endswith("?") else "."
    assert said == f"{message.rstrip('.')}{end} To leave all the same: overmind swarm leave --force"
