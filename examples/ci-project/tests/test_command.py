"""The command as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest


def tally(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tally", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


class Command(unittest.TestCase):
    def test_it_counts_standard_input(self):
        self.assertEqual(tally(text="a rose is a rose").stdout, "2 a\n2 rose\n1 is\n")

    def test_it_counts_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "text")
            with open(path, "w", encoding="utf-8") as file:
                file.write("tick tock tick")
            self.assertEqual(tally(path).stdout, "2 tick\n1 tock\n")

    def test_two_files_are_a_mistake(self):
        self.assertEqual(tally("one", "two").returncode, 2)


if __name__ == "__main__":
    unittest.main()
