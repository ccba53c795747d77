"""The program driven by Textual's pilot against a real supervisor: keys, what they do, what is drawn."""

from __future__ import annotations

from datetime import UTC


def test_times_in_the_log_are_those_of_the_zone():
    from overmind_core.view.log_lines import stamp

    assert stamp(0.5, UTC) == "00:00:00 "
