"""The folder that the dashboard proposes for a new mission: where the server was started, also in the background."""

from __future__ import annotations

import pytest

from overmind_web.pages.mission import started_in


@pytest.mark.parametrize(("folder", "variable"), [("here", "elsewhere"), ("/", "here")])
def test_it_is_where_the_server_was_started(tmp_path, monkeypatch, folder, variable):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / folder)
    monkeypatch.setenv("PWD", str(tmp_path / variable))
    assert started_in() == str(tmp_path / "here")
