"""Logins of the web as people manage them: links, tokens, who is logged in, and the end of it all."""

from __future__ import annotations

import pytest

from overmind_core.cli.web import web_name


def test_a_name_on_the_command_line_is_checked_before_anything_else():
    assert web_name("phone") == "phone"
    with pytest.raises(ValueError, match="is not a name"):
        web_name("Phone")
