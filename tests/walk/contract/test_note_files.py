"""Files of notes between two homes: what one of them writes the other one takes in, and writes the same."""

from __future__ import annotations

import os
import re

import pytest

from tests.kit import torture
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import AUTHOR, Repository

pytestmark = pytest.mark.shared_home

NOTES = 400 if torture.WHOLE else 60
PIECES = (
    "+++", "=======", '"""', "\\", "<<<<<<< HEAD", "id = 1", "", "  | ", "\x7f", "\u2028", "\u202e", "\x1b[31m", "\r",
    "\r\n", "[N-7f3k9c2m4q]", "🐝 漢字", "'", '"', "#", "a\tb", "\ufeff", "é", "e\u0301", "word", "getUserName",
    "\U000e0041", " x ",
)  # fmt: skip


def random_note(random, number):
    """The arguments of `remember` for a note that no other one is like."""

    def words(most):
        return random.choice(["", " ", "\n"]).join(random.choices(PIECES, k=random.randint(0, most)))

    note = {
        "text": f"{words(9)}\n{number}\n{words(9)}",
        "kind": random.choice(["fact", "decision", "pattern", "gotcha", "fix", "lesson"]),
        "tags": [f"{number} {words(3)}" for _ in range(random.randint(0, 2))],
        "files": [f"a/{number}{words(1).strip()}*.py".replace("\n", "").replace("\r", "")] * random.randint(0, 1),
        "pin": random.random() < 0.2,
    }
    return note | ({"key": f"k/{number}"} if random.random() < 0.4 else {})


def contents(folder):
    """Name → bytes."""
    found = {}
    for entry in os.scandir(folder):
        with open(entry.path, "rb") as file:
            found[entry.name] = file.read()
    return found


def test_what_one_home_exports_another_one_imports_and_exports_the_same(om, make_home, tmp_path):
    random = torture.seeded_random()
    homes = (om, make_home())
    shops = []
    for name, home in zip("ab", homes, strict=True):
        home.environment |= AUTHOR
        shop = Repository(str(tmp_path / name))
        shop.git("remote", "add", "origin", f"https://example.org/team-{tmp_path.name}/shop.git")
        shops.append(shop.folder)
    with RawSocket.connect(om.home) as api:
        for number in range(NOTES):
            api.ok("remember", cwd=shops[0], **random_note(random, number))
    files = str(tmp_path / "files")
    count = f"{NOTES} notes to {files}"
    assert om.ok("memory", "export", files, cwd=shops[0]) == (
        f"Exported {count}: {NOTES} written, 0 removed, 0 unchanged\n"
    )
    written = contents(files)
    assert len(written) == NOTES
    name, foreign = min(written.items())
    with open(os.path.join(files, name), "wb") as file:  # as the home of somebody else has written it
        file.write(re.sub(rb'author = ".*"', b'author = "eve"', foreign))
    exported = contents(files)
    other = homes[1]
    assert other.ok("memory", "import", files, cwd=shops[1]) == f"Imported: {NOTES} new, 0 changed, 0 known\n"
    for home, folder in ((other, shops[1]), (om, shops[0]), (other, shops[1])):
        again = home.ok("memory", "export", files, cwd=folder)
        assert again == f"Exported {count}: 0 written, 0 removed, {NOTES} unchanged\n"
        assert contents(files) == exported
        assert home.ok("memory", "import", files, cwd=folder) == f"Imported: 0 new, 0 changed, {NOTES} known\n"
    fresh = str(tmp_path / "fresh")
    other.ok("memory", "export", fresh, cwd=shops[1])
    assert contents(fresh) == written
    note = om.json("notes", "--json", cwd=shops[0])[0]["id"]
    om.ok("note", "edit", note, "--text", "an edit of the first home", cwd=shops[0])
    assert ": 1 written, " in om.ok("memory", "export", files, cwd=shops[0])
    edited = contents(files)
    assert other.ok("memory", "import", files, cwd=shops[1]).startswith("Imported: 0 new, 1 changed, ")
    assert ": 0 written, 0 removed, " in other.ok("memory", "export", files, cwd=shops[1])
    assert contents(files) == edited
