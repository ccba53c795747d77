"""Files of other programs that are given to `apply`: what they are, and what to do with them."""

from __future__ import annotations

import pytest

from overmind_core import plan_file
from overmind_core.domain.text.problems import Problems


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Procfile.dev", "web: serve\n", "this is a Procfile"),
        ("flow.yml", "jobs:\n  build: {}\n", "this is YAML"),
        ("Procfile", "[agents.web]\ncommand = 1\n", "command"),
        ("plan.toml", "a = \n", ""),
    ],
)
def test_only_what_is_no_toml_is_called_something_else(tmp_path, name, text, said):
    path = str(tmp_path / name)
    with pytest.raises(Problems) as raised:
        plan_file.read_plan(text.encode(), path, name="x", variables={}, environ={}, disk=plan_file.RealDisk())
    first = raised.value.problems[0]
    assert said in first.message
    assert ("this is" in first.message) == said.startswith("this is")
