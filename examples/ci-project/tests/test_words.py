"""What counts as a word."""

from __future__ import annotations

import unittest

from tally.words import counted, words


class Words(unittest.TestCase):
    def test_case_and_punctuation_do_not_matter(self):
        self.assertEqual(words("Don't panic, DON'T!"), ["don't", "panic", "don't"])

    def test_numbers_are_no_words(self):
        self.assertEqual(words("3 apples, 4pears"), ["apples", "pears"])

    def test_the_most_frequent_comes_first_and_equals_by_the_alphabet(self):
        self.assertEqual(counted("b a c b"), [("b", 2), ("a", 1), ("c", 1)])

    def test_nothing_has_no_words(self):
        self.assertEqual(counted(""), [])


if __name__ == "__main__":
    unittest.main()
