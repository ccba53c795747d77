"""How a supervisor gets its keeper, and what it says where it gets none."""

from __future__ import annotations

from overmind_core.system.paths import LONGEST_HOME, Home
from tests.core.kernel.test_keeper_client import refusal


def test_a_keeper_that_cannot_begin_says_why_and_is_not_started_again(tmp_path):
    folder = tmp_path.joinpath(*["x" * 100] * (LONGEST_HOME // 100 + 1))
    folder.mkdir(parents=True)
    refused = refusal(Home(str(folder)))
    assert refused.code == "forbidden"
    assert refused.message.startswith(f"The keeper can't start: The home's path is longer than {LONGEST_HOME} bytes: ")
    assert (folder / "keeper.log").read_text().count("is longer than") == 1
