"""Where the text of a note may be when it was purged: each place is named, and nothing else holds a word of it."""

from __future__ import annotations

import os

import pytest

from tests.kit.noted_shop import Shop

pytestmark = pytest.mark.shared_home


def test_a_purge_names_the_files_the_drafts_and_the_logs_that_hold_the_text(om, tmp_path):
    shop = Shop.make(om, tmp_path)
    note = shop.write("zyzzyva: the limiter keeps its buckets in redis", "--pin")
    shop.ok("memory", "export")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho more >> "$1"\nexit 1\n')
    editor.chmod(0o700)
    kept = shop("note", "edit", note, env={"EDITOR": str(editor)}).stderr.splitlines()[0].rpartition(" ")[2]
    used = shop.used("zyzzyva")["mission"]
    printed = shop.ok("forget", "--purge", "-y", note).splitlines()
    (exported,) = os.listdir(shop.code.path(".overmind", "notes"))
    assert printed[0] == f"Purged {note}"
    assert sorted(printed[1:]) == sorted(f"still in: {place}" for place in (
        shop.code.path(".overmind", "notes", exported), kept, f"log of mission {used}"
    ))  # fmt: skip
    found = set()
    for folder, _, names in os.walk(om.home):
        for path in (os.path.join(folder, name) for name in names):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found |= {path} if b"zyzzyva: the" in file.read() else set()
    assert found == {kept}
    shop.refused("note", "restore", note, code="gone")
