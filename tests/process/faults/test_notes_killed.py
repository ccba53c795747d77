"""The supervisor is killed while it writes notes: each is as before or as after, and asked again it is done once."""

from __future__ import annotations

import contextlib
import os
import time

import pytest

from overmind_core.domain.memory.notes import note_id
from tests.kit import torture
from tests.kit.killing import await_another, kill
from tests.kit.raw_socket import RawSocket

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600 if torture.WHOLE else 120)]
ROUNDS = 10 if torture.WHOLE else 1
"""Of each of the five requests."""
FILES = 100
"""Of one request of an import."""


class Killed:
    """A home whose supervisor is killed in the middle of requests.

    Args:
        om: The command line.
        folder: Where notes are written.
        moments: Says when.
    """

    def __init__(self, om, folder, moments):
        self.om = om
        self.folder = folder
        self.moments = moments
        self.seconds = {}
        self.number = 0

    def word(self):
        """A word that no other note has."""
        self.number += 1
        return f"zyzzyva{self.number:05d}"

    def ask(self, command, **args):
        return self.om.api(command, cwd=self.folder, **args)

    def write(self, word):
        return self.ask("remember", text=f"the {word} of a note")["id"]

    def measure(self, command, **args):
        """Have it done once in peace, to know how long it takes."""
        begun = time.monotonic()
        answer = self.ask(command, **args)
        self.seconds[command, args.get("purge")] = time.monotonic() - begun
        return answer

    def killed_in(self, command, **args):
        """Kill the supervisor while it does it; its answer, if there was one."""
        old = self.om.supervisor_pid()
        with RawSocket.connect(self.om.home) as api:
            api.send(command, cwd=self.folder, **args)
            time.sleep(self.moments.uniform(0, 1.2 * self.seconds[command, args.get("purge")]))
            kill(old)
            with contextlib.suppress(EOFError, ConnectionResetError):
                answer = api.read_line()
                assert "ok" in answer, answer
                return answer["ok"]
        return None

    def again(self, old):
        """The next supervisor is there."""
        await_another(self.om, old)

    def note(self, note):
        return self.ask("note", note=note, history=True)

    def with_word(self, word):
        return [one["note"] for one in self.ask("search", words=word, literal=True, limit=1000)["notes"]]

    def left(self, word):
        """Files of the home that hold a word; the log of events and of daemons hold none of a note anyway."""
        found = []
        for where, _, names in os.walk(self.om.home):
            for name in names:
                path = os.path.join(where, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        found += [name] if word.encode() in file.read() else []
        return found


@pytest.fixture
def killed(om, moments, tmp_path):
    om.mission("sleep 600")  # a keeper that has nothing to keep starts nobody
    return Killed(om, str(tmp_path), moments)


def remember(killed):
    word = killed.word()
    asked = {"text": f"the {word} of a note", "request": f"r-{word}"}
    done = killed.killed_in("remember", **asked)
    yield
    before = killed.with_word(word)
    assert len(before) == 1 if done else len(before) <= 1
    again = killed.ask("remember", **asked)
    (note,) = killed.with_word(word)
    assert again["id"] == note["id"]
    assert not done or done["id"] == note["id"]
    assert note["versions"] == 1


def forget(killed):
    word = killed.word()
    note = killed.write(word)
    done = killed.killed_in("forget", notes=[note])
    yield
    assert killed.note(note)["state"] in {"forgotten", *(() if done else ("live",))}
    killed.ask("forget", notes=[note])
    assert killed.note(note)["state"] == "forgotten"
    assert killed.with_word(word) == []


def purge(killed):
    word = killed.word()
    note = killed.write(word)
    done = killed.killed_in("forget", notes=[note], purge=True)
    yield
    state = killed.note(note)["state"]
    assert state in {"purged", *(() if done else ("live",))}
    assert bool(killed.left(word)) == (state == "live")
    killed.ask("forget", notes=[note], purge=True)
    assert killed.left(word) == []


def files_with(killed, word):
    """Files of notes; every other one names the id that its note has elsewhere."""
    ids = (note_id((hash(word) + number) % (1 << 50)) for number in range(FILES))
    heads = (f'id = "{id_}"\n' if number % 2 else "" for number, id_ in enumerate(ids))
    return [
        {"file": f"{number}.md", "text": f"+++\n{head}+++\n\n{word} number {number}\n"}
        for number, head in enumerate(heads)
    ]


def test_an_import_of_the_command_line_goes_on_over_deaths_of_the_supervisor(killed, tmp_path):
    om = killed.om
    word = killed.word()
    folder = tmp_path / "files"
    folder.mkdir()
    for part in range(4):
        for number, file in enumerate(files_with(killed, f"{word} part {part}")):
            (folder / f"{part}-{number}.md").write_text(file["text"])
    for round_ in range(ROUNDS):
        importing = om.popen("memory", "import", str(folder), cwd=killed.folder)
        time.sleep(killed.moments.uniform(0, 1.0))
        old = om.supervisor_pid()
        kill(old)
        killed.again(old)
        out, err = importing.communicate(timeout=60)
        counts = "0 new, 0 changed, 400 known" if round_ else "400 new, 0 changed, 0 known"
        assert (importing.returncode, out) == (0, f"Imported: {counts}\n"), err
        assert len(killed.with_word(word)) == 400
