"""What an agent did is found, and what it mended is proposed: on the command line, also when the daemon was killed."""

from __future__ import annotations

import json

from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually


def test_a_session_that_mends_a_check_is_found_and_proposes_it_once(agents, tmp_path):
    om, work = agents.om, tmp_path / "work"
    work.mkdir()
    check = work / "check.sh"
    check.write_text("echo 'boom: it is broken'\nexit 4\n")

    def told(*words):
        return json.loads(om.ok(*words, "--json", cwd=str(work)))

    mission = agents.session("--allowed-tools", "Bash,Write", "--cwd", str(work))
    agents.say(mission, f"!bash sh {check}")
    agents.say(mission, f"!tool Write {json.dumps({'file_path': str(check), 'content': 'exit 0'})}")
    kill_supervisor(om)
    agents.say(mission, f"!bash sh {check}")
    (note,) = eventually(lambda: told("notes", "--proposed"))
    assert (note["kind"], note["from"], note["files"]) == ("lesson", "overmind", ["check.sh"])
    assert note["text"] == (
        f"`sh {check}` failed with exit code 4: boom: it is broken\nIt succeeded after changes of:\n  check.sh"
    )
    (found,) = told("search", "--episodes", "check.sh")
    assert [one["exit_code"] for one in found["commands"]] == [4, None]
    assert found["files"] == [str(check)]
    assert len(told("notes", "--proposed")) == 1
