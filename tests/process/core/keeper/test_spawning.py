"""Which way a keeper really spawns: it notes its own system calls here."""

from __future__ import annotations

import pytest

NOTES = """
import sys

def note(event, _):
    if event in {"os.posix_spawn", "os.fork", "os.forkpty"}:
        with open("NOTES", "a") as file:
            file.write(event + " ")

sys.addaudithook(note)
"""


@pytest.mark.linux
def test_a_run_is_spawned_in_the_way_that_is_asked_for(start_keeper, tmp_path):
    notes = tmp_path / "notes"
    (tmp_path / "sitecustomize.py").write_text(NOTES.replace("NOTES", str(notes)), encoding="utf-8")
    client = start_keeper(modules=str(tmp_path)).client()
    for number, method in enumerate(("auto", "posix_spawn", "ptyprocess"), start=1):
        client.run(f"a1b2c3d4.{number}", "true", method=method, tty=False)
    assert notes.read_text(encoding="utf-8").split() == ["os.posix_spawn", "os.posix_spawn", "os.fork"]
