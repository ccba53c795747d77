"""The doctor's page, as a tab gets it."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from overmind_web.pages.doctor import findings
from tests.kit.cases import tabled


def test_control_characters_are_spelled_out() -> None:
    (one,) = findings(b'[{"status": "fail", "check": "c", "found": "a\\u001b[31mb", "mend": null}]')
    assert "\x1b" not in one["found"]
    assert (one["tone"], one["mend"]) == ("bad", "")


@tabled("printed", [b"", b"{}x", b"[1]", b'[{"status": "ok"}]', b"3", b"\xff"])
def test_what_is_no_report_is_an_error(printed: bytes) -> None:
    with pytest.raises(OvermindError, match="overmind doctor failed"):
        findings(printed)
