"""Words, stems and identifiers: as the index has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.stems import stem
from overmind_core.domain.memory.words import (
    LONGEST_WORD,
    MOST_WORDS,
    identifier_words,
    identifiers,
    is_identifier,
    is_path,
    match_query,
    paths,
    phrases,
    question_words,
    rarest,
    stems,
    words,
)
from tests.kit.cases import tabled
from tests.kit.torture import examples


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(":memory:")
    database.execute("create virtual table notes using fts5(text, tokenize='porter unicode61')")
    database.execute("create virtual table terms using fts5vocab(notes, 'instance')")
    yield database
    database.close()


def indexed(database: sqlite3.Connection, text: str) -> list[str]:
    """What the index makes of a text."""
    database.execute("insert into notes(rowid, text) values (1, ?)", (text,))
    found = [term for (term,) in database.execute("select term from terms order by offset")]
    database.execute("delete from notes")
    return found


TEXTS = [
    "The rate limiter keeps its buckets in Redis; start it with: make redis",
    "getUserName get_user_name HTTPServer2 users.getUserName() src/api/limits.py --no-memory",
    "Größe café naïve façade Ångström e\u0301te\u0301 Ǖ ñandú",
    "поймать Йод ёлка ΆΈΉ ΐ 漢字 ひらがな が 각 אַ",
    "sky say dying flies died agreed feed bled sing singing hopping falling hissing fizzed",
    "failed's don't 3.11 0x7f a b ab es as ss ies sses y yy ion tion ational",
]
PIECES = [
    "a", "e", "i", "o", "u", "y", "b", "bl", "c", "d", "f", "l", "m", "n", "p", "r", "s", "ss", "t", "st", "w", "x",
    "z", "h", "ll", "tt", "at", "iz", "er", "ing", "ed", "s", "es", "ies", "eed", "y", "ional", "ational", "tional",
    "enci", "anci", "izer", "logi", "bli", "alli", "entli", "eli", "ousli", "ization", "ation", "ator", "alism",
    "iveness", "fulness", "ousness", "aliti", "iviti", "biliti", "icate", "ative", "alize", "iciti", "ical", "ful",
    "ness", "al", "ance", "ence", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "sion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize", "ß", "ж",
]  # fmt: skip
MADE = st.builds(
    "".join,
    st.lists(
        st.sampled_from(PIECES),
        min_size=1,
        max_size=7,
    ),
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_the_words_that_the_index_has(index, text):
    assert [stem(word) for word in words(text)] == indexed(index, text)


@settings(max_examples=examples(400))
@given(st.lists(MADE, min_size=1, max_size=200))
def test_a_word_has_the_stem_that_the_index_has(index, made):
    assert [stem(word) for word in made] == indexed(index, " ".join(made))


@tabled(
    ("text", "found"),
    [
        ("getUserName", ["get", "user", "name"]),
        ("get_user_name", ["getusername"]),
        ("HTTPServer", ["http", "server"]),
        ("parseHTTP2Response", ["parse", "http2", "response"]),
        ("FOO_BAR", ["foobar"]),
        ("my_getName", ["get", "name", "mygetname"]),
        ("URLs of APIs, sha256, README, GitHub", ["git", "hub"]),
        ("a plain text", []),
    ],
)
def test_an_identifier_is_found_by_its_parts_and_as_a_whole(text, found):
    assert identifier_words(text) == found


def test_all_ways_to_write_an_identifier_are_one():
    held = [set(stems(one)) for one in ("getUserName", "get_user_name")]
    asked = ["getUserName", "get_user_name", "user name", "getusername", "GetUserName()"]
    assert all(note & {stem(word) for word in question_words(question)} for note in held for question in asked)


IDENTIFIERS = [
    "getUserName", "get_user_name", "__init__", "HTTPServer", "E501", "os.path", "docker-compose.yml", "limits.py",
    ".env", "std::vector", "--no-memory", "join()", "sha256", "_private",
]  # fmt: skip
NO_IDENTIFIERS = [
    "redis", "README", "3.11", "e.g", "v2", "2nd", "URLs", "and/or", "well-known", "()", "_", "_()", "a_", "-x",
]  # fmt: skip
PATHS = ["api/limits.py", "src/api/x", "./run", "/etc", "~/.ssh", "a/b/c", "web-app/x", "../up"]
NO_PATHS = ["and/or", "client/server", "I/O", "redis", "limits.py", "/", "//", "a//b"]


@tabled(("word", "is_one"), [*((one, True) for one in IDENTIFIERS), *((one, False) for one in NO_IDENTIFIERS)])
def test_an_identifier_is_known_by_its_look(word, is_one):
    assert is_identifier(word) is is_one


@tabled(("word", "is_one"), [*((one, True) for one in PATHS), *((one, False) for one in NO_PATHS)])
def test_a_path_is_known_by_its_look(word, is_one):
    assert is_path(word) is is_one


def test_a_text_names_identifiers_and_paths_in_one_form():
    text = "`users.getUserName()` (api/limits.py:12), ./make.sh, get_user_name; and/or https://a.b/c.d. I/O, e.g. 3"
    assert identifiers(text) == {"users.getusername", "getusername", "api/limits.py", "limits.py", "make.sh"}
    assert paths(text) == ["api/limits.py", "make.sh", "and/or", "I/O"]


def test_an_identifier_is_looked_for_as_it_stands_there():
    assert phrases("Why does shutil.copytree(a, b) of get_user_name fail in api/x.py? See GetUser") == [
        "shutil copytree",
        "get user name",
        "api x py",
    ]


def test_of_a_question_the_rarest_words_are_looked_for():
    asked = question_words("Why do the tests need redis, and the redis-server of zorblax?")
    assert asked == ["why", "do", "the", "tests", "need", "redis", "and", "server", "of", "zorblax"]
    frequency = {"the": 900, "test": 190, "need": 120, "redi": 3, "server": 3, "of": 800, "do": 600}
    assert rarest(asked, frequency, 1000) == ["tests", "need", "redis", "server"]
    assert rarest(asked, frequency, 500) == ["need", "redis", "server"]
    assert rarest(["the", "of", "do", "need", "zorblax"], frequency, 1000) == ["of", "do", "need"]
    small = {stemmed: many // 10 for stemmed, many in frequency.items()}
    assert rarest(asked, small, 100) == ["do", "the", "tests", "need", "redis", "server", "of"]
    many = [f"w{number}" for number in range(100)]
    assert rarest(many, {word: 100 - place for place, word in enumerate(many)}, 1000) == many[-MOST_WORDS:]
    assert rarest(asked, {}, 0) == []


@settings(max_examples=examples(2000))
@given(st.text(max_size=200) | st.text('"*^():-+{}\0 aAN_./\ud800', max_size=60))
def test_no_question_is_a_query_of_its_own(index, question):
    asked = question_words(question)
    assert all(part.isalnum() for phrase in phrases(question) for part in phrase.split(" "))
    assert all(word.isalnum() and len(word) <= LONGEST_WORD for word in asked)
    if asked:
        query = match_query([*asked[:MOST_WORDS], *phrases(question)])
        index.execute("select rowid from notes where notes match ?", (query,)).fetchall()
    assert all(name and name == name.lower() for name in identifiers(question))
    assert all(path in question for path in paths(question))


ENDLESS = [":1", "a_", "aB", "a/", "a.", "../", "--a", "a::", "::", "A1", "_", "()", "[", "AAaa"]


@tabled("part", ENDLESS)
def test_what_repeats_without_an_end_takes_no_longer_than_its_length(part):
    for text in (part * 50_000, part * 100 + "\x01", f"{part * 100}\x01 " * 500):
        # None of these ends within minutes where a pattern tries each way to split it.
        question_words(text)
        assert not is_identifier(f"{text}!")
        assert not is_path(f"{text}!")
        assert len(identifiers(text)) + len(paths(text)) < 10
