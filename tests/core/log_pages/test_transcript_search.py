"""The search in transcripts: what counts as a hit, and that the sieve before it loses none."""

from __future__ import annotations

import json
import os
import random

import pytest

from overmind_core.domain.agents.events import AnswerFound, MessageDelivered, PromptGiven
from overmind_core.domain.events import type_of
from overmind_core.log_pages import transcript_search
from overmind_core.log_pages.transcript_search import SAID_KINDS, TranscriptSearch, unrecorded
from overmind_core.log_pages.word_query import BrokenQuery, parsed
from overmind_core.logs.reader import RunLog
from overmind_core.providers import registry
from tests.kit.log_files import LogFiles

LONG_AGO = 1_700_000_000.0


class Logs:
    """The logs of missions, as the answer to `logs` describes them."""

    def __init__(self, folder):
        self.folder = folder
        self.missions = []

    def add(self, data, *, format_=None, at=LONG_AGO, err=b"", said=(), segment=1 << 20, step=1 << 20, number=1):
        """Add a mission with one run, whose output was written `step` bytes each second."""
        name = f"{len(self.missions):08x}"
        files = LogFiles(self.folder / name / f"{number:06d}", segment=segment)
        for begin in range(0, len(data), step):
            files.out(data[begin : begin + step], at + begin // step)
        if err:
            files.err(err, at)
        for path in files.folder.iterdir():
            os.utime(path, (at + len(data) // step, at + len(data) // step))
        notes = [{"kind": "prompt", "at": at, "run": number, "text": f"[human] {text}"} for text in said]
        run = {"number": number, "path": files.path, "format": format_}
        self.missions.append({"id": name, "name": f"m-{name}", "provider": format_ or "raw", "annotations": notes,
                              "runs": [run]})  # fmt: skip
        return files

    def search(self, *words, limit=50, since=None):
        return TranscriptSearch(parsed(words), limit=limit, since=since).run(self.missions)

    def lines(self, *words, **how):
        return [(hit.who, hit.line) for hit in self.search(*words, **how).hits]


@pytest.fixture
def logs(tmp_path):
    return Logs(tmp_path)


def json_lines(*objects, ascii_only=False):
    return b"".join(json.dumps(one, ensure_ascii=ascii_only).encode() + b"\n" for one in objects)


def claude_says(text):
    return {"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}}


def claude_runs(command, error=None):
    call = {"type": "tool_use", "id": command, "name": "Bash", "input": {"command": command}}
    back = {"type": "tool_result", "tool_use_id": command, "content": error or "done", "is_error": error is not None}
    return [
        {"type": "assistant", "message": {"content": [call]}},
        {"type": "user", "message": {"content": [back]}},
    ]


def chunk(text, session="s1", **more):
    update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}, **more}
    return {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": session, "update": update}}


ACP_BEGIN = (
    {"jsonrpc": "2.0", "id": "open", "result": {"protocolVersion": 1}},
    {"jsonrpc": "2.0", "id": "session", "result": {"sessionId": "s1"}},
)
ACP_END = {"jsonrpc": "2.0", "id": "m1", "result": {"stopReason": "end_turn"}}


def delta(text, thread="t"):
    params = {"threadId": thread, "turnId": f"u{thread}"[: 1 + (thread != "t")], "itemId": "i", "delta": text}
    return {"method": "item/agentMessage/delta", "params": params}


# what counts


def test_each_speaker_is_told(logs):
    data = json_lines(
        claude_says("The limiter needs redis."), *claude_runs("make limiter"),
        *claude_runs("make x", "Error: no rule for limiter"), ascii_only=True,
    )  # fmt: skip
    logs.add(data, format_="claude", err=b"limiter: a warning\n", said=["look at the limiter"])
    assert set(logs.lines("LIMITER")) == {
        ("human", "look at the limiter"), ("agent", "The limiter needs redis."),
        ("tool", "⚙ Bash: make limiter → ok"), ("tool", "⚙ Bash: make x → ✗ Error: no rule for limiter"),
        ("output", "limiter: a warning"),
    }  # fmt: skip


def test_the_newest_comes_first_and_says_where_it_stands(logs):
    logs.add(b"an old needle\n", at=LONG_AGO)
    logs.add(b"a new needle\n", at=LONG_AGO + 60, number=3)
    new, old = logs.search("needle").hits
    assert (new.mission, new.name, new.run, new.at, new.line) == (
        "00000001", "m-00000001", 3, LONG_AGO + 60, "a new needle",
    )  # fmt: skip
    assert old.line == "an old needle"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("redis", "limiter"), ["The limiter: redis", "redis, rate limit, limiter"]),
        (("rate limit",), ["redis, rate limit, limiter"]),
        (("redis -rate",), ["The limiter: redis", "redis alone"]),
        (('redis -"rate limit" -alone',), ["The limiter: redis"]),
        (("REDIS", "-limiter"), ["redis alone"]),
        (("edi", "alo"), ["redis alone"]),
    ],
)
def test_a_line_has_all_words_and_none_that_is_unwanted(logs, words, found):
    logs.add(b"The limiter: redis\nredis alone\nredis, rate limit, limiter\n")
    assert sorted(line for _, line in logs.lines(*words)) == sorted(found)


def test_words_may_stand_in_different_lines_of_one_message_but_not_of_two(logs):
    one = claude_says("First the server.\nThen redis\nand the rate\nlimit.")
    logs.add(json_lines(one, *claude_runs("true"), claude_says("Another message about postgres.")), format_="claude")
    assert logs.lines("server", "redis") == [("agent", "First the server.")]
    assert logs.lines("rate limit") == [("agent", "and the rate")]
    assert logs.lines("server", "postgres") == []


def test_what_a_transcript_says_by_itself_is_no_hit_but_a_tool_has_its_name(logs):
    result = {"type": "result", "subtype": "success", "num_turns": 3, "duration_ms": 2000, "result": "x"}
    logs.add(json_lines(*claude_runs("touch a"), claude_says("fine"), result), format_="claude")
    assert logs.lines("turns") == []
    assert logs.lines("Bash: touch") == [("tool", "⚙ Bash: touch a → ok")]


@pytest.mark.parametrize(
    "words", [("-redis",), ('-"rate limit"',), ('"rate limit',), ('redis "rate',), ("",), ("x" * 1001,)]
)
def test_words_that_mean_nothing_are_refused(words):
    with pytest.raises(BrokenQuery):
        parsed(words)


def test_since_and_limit(logs):
    logs.add(b"".join(b"line %d\n" % number for number in range(10_000)), step=64)
    found = logs.search("line", limit=3)
    assert ([hit.line for hit in found.hits], found.has_more) == (["line 9999", "line 9998", "line 9997"], True)
    newest = found.hits[0].at
    assert {hit.at for hit in logs.search("line", since=newest).hits} == {newest}
    assert logs.search("line", since=newest + 9).hits == []


def test_older_files_are_not_opened_once_there_are_enough_newer_hits(logs, monkeypatch):
    for number in range(4):
        logs.add(b"needle\n", at=LONG_AGO + number)
    opened = []
    blocks = transcript_search._blocks

    def noted(file, stream, start):
        opened.append(file.mission["id"])
        return blocks(file, stream, start)

    monkeypatch.setattr(transcript_search, "_blocks", noted)
    found = logs.search("needle", limit=2)
    assert (len(found.hits), found.has_more, opened) == (2, True, ["00000003", "00000002"])


def test_people_are_found_by_the_events_of_their_messages():
    assert {type_of(one) for one in (PromptGiven, MessageDelivered, AnswerFound)} == set(SAID_KINDS)


# the sieve loses nothing


def acp(*chunks, ascii_only=False):
    return json_lines(*ACP_BEGIN, *chunks, ACP_END, ascii_only=ascii_only)


def codex(*deltas):
    end = {"method": "turn/completed", "params": {"threadId": "t", "turn": {"id": "u", "status": "completed"}}}
    return json_lines({"id": "m1", "result": {"turn": {"id": "u"}}}, *deltas, end)


def says_raw(text):
    """A line of claude's with a text that is written as its JSON is."""
    return b'{"type":"assistant","message":{"content":[{"type":"text","text":"' + text + b'"}]}}\n'


def turned(text):
    """A piece with its keys in another order."""
    update = {"content": {"text": text, "type": "text"}, "sessionUpdate": "agent_message_chunk"}
    return {"params": {"update": update, "sessionId": "s1"}, "method": "session/update", "jsonrpc": "2.0"}


QUOTED = 'say "größe" and C:\\new\\table'
CASES = {
    "json escapes": (
        "claude", json_lines(claude_says(QUOTED), ascii_only=True), ["GRÖßE", "c:\\new\\table", "\\table"],
    ),
    "letters as escapes": ("claude", says_raw(b"\\u006eeedle"), ["needle"]),
    "an escaped backslash": ("claude", json_lines(claude_says("a \\u0041bc here")), ["\\u0041bc", "u0041bc"]),
    "slashes and tags as escapes": ("claude", says_raw(b"src\\/api\\u003ck\\u003e"), ["src/api<k>"]),
    "japanese": ("claude", json_lines(claude_says("設定を読む"), ascii_only=True), ["設定", "を読む"]),
    "cyrillic": ("claude", json_lines(claude_says("ПРИВЕТ мир")), ["привет", "МИР"]),
    "greek": ("claude", json_lines(claude_says("ΟΔΟΣ")), ["οδος", "οδοσ"]),
    "an emoji as two escapes": ("claude", json_lines(claude_says("done 🎉 now"), ascii_only=True), ["🎉"]),
    "a title in json": (
        "claude", json_lines(claude_says("nee\x1b]0;x\x07dle\x1b]0;\nthread"), ascii_only=True), ["needle", "thread"],
    ),
    "a colour in two pieces": ("gemini", acp(chunk("nee\x1b["), chunk("1mdle")), ["needle"]),
    "colours in json": ("claude", json_lines(claude_says("a nee\x1b[1mdle"), ascii_only=True), ["needle"]),
    "pieces of acp": (
        "gemini", acp(chunk("a ne"), chunk("ed"), chunk("le of "), chunk("text\nand")),
        ["needle", "needle of text", "text and"],
    ),
    "pieces with keys in another order": ("gemini", acp(turned("nee"), turned("dle")), ["needle"]),
    "pieces with numbers of their own": (
        "gemini", acp(*[chunk(one, _meta={"n": n}) for n, one in enumerate("needles")]), ["needles"],
    ),
    "pieces of two conversations": ("acp:mine", acp(chunk("nee"), chunk("d", "s2"), chunk("le")), ["needle"]),
    "pieces amid those of a helper": ("codex", codex(delta("nee"), delta("xx", thread="h"), delta("dle")), ["needle"]),
    "pieces with escapes": ("qwen", acp(chunk("gr"), chunk("ö"), chunk("ße"), ascii_only=True), ["GRÖßE"]),
    "pieces of codex": ("codex", codex(delta("nee"), delta("d"), delta("le")), ["needle"]),
    "a plain line in json": ("claude", b"a plain nee\x1b[1mdle\n", ["needle"]),
    "colours": (None, b"a nee\x1b[1md\x1b[0mle\r\n", ["needle"]),
    "digits and colours": (None, b"a \x1b[31m404\x1b[0m40\x1b[1m4 m\r\n", ["404404", "404 m"]),
    "a title in a word": (None, b"nee\x1b]0;title\x07dle\n", ["needle"]),
    "returned": (None, b"xxedle\rne\n", ["needle"]),
    "backspaced": (None, b"nex\bedle\n", ["needle"]),
    "deleted": (None, b"neeXXdle\x1b[6G\x1b[4G\x1b[2P\n", ["needle"]),
    "invalid utf-8": (None, b"\xff\xfe needle \xc3\n\xffneedle", ["needle"]),
    "controls": (None, b"ne\x00ed\x01le\n", ["needle"]),
    "no newline": (None, b"one\nneedle", ["needle"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_no_way_of_writing_hides_a_word(logs, case):
    format_, data, words = CASES[case]
    logs.add(data, format_=format_)
    for word in words:
        assert logs.lines(word), word


def test_a_word_across_parts_of_a_file_is_found(logs, monkeypatch):
    monkeypatch.setattr(transcript_search, "_PART", 512)
    filler = [chunk(f"word{number} ") for number in range(20)]
    data = json_lines(*ACP_BEGIN, *filler, chunk("nee"), *[chunk(one) for one in "dle"], *filler, ACP_END)
    logs.add(data, format_="gemini", segment=700, step=100)
    logs.add(b"x" * 2000 + b" needle " + b"y" * 2000 + b"\nend\n", segment=1000, step=100)
    assert len(logs.lines("needle")) == 2
    assert len(logs.lines("word3", "word17", "needle")) == 1


def everything_found(logs, monkeypatch, *words):
    """The same search without a sieve."""
    search = TranscriptSearch(parsed(words), limit=10_000)

    class Open:
        has_any = True

        def passes(self, _raw):
            return True

    monkeypatch.setattr(search, "_plain", Open())
    monkeypatch.setattr(search, "_sieve_of", lambda _format: Open())
    return sorted(search.run(logs.missions).hits)


def test_the_sieve_lets_all_hits_of_random_logs_pass(tmp_path, monkeypatch):
    chance = random.Random(11)
    alphabet = [
        "a",
        "b",
        "A",
        "ä",
        "Ä",
        "é",
        '"',
        "\\",
        "/",
        "\n",
        " ",
        "<",
        "\x1b[1m",
        "я",
        "Я",
        "ж",
        "日",
        "\t",
        "…",
        "k",
        "\u212a",
        "ß",
        "u0041",
    ]
    controls = [
        "\r",
        "\r\n",
        "\b",
        "\x1b[2D",
        "\x1b[3G",
        "\x1b[K",
        "\x1b[1C",
        "\x1b[2P",
        "\x00",
        "\x1b]0;ab\x07",
        "\x1b[?25l",
        "\n",
    ]
    for round_ in range(40):
        logs = Logs(tmp_path / str(round_))
        text = "".join(chance.choice(alphabet) for _ in range(chance.randrange(60)))
        ascii_only = chance.random() < 0.5
        pieces, at = [], 0
        while at < len(text):
            size = chance.randrange(1, 6)
            pieces.append(text[at : at + size])
            at += size
        logs.add(json_lines(claude_says(text), ascii_only=ascii_only), format_="claude")
        sessions = ["s1", "s1", "s1", "s2"]
        chunks = [
            chunk(one, chance.choice(sessions), **({"n": at} if round_ % 2 else {})) for at, one in enumerate(pieces)
        ]
        logs.add(json_lines(*ACP_BEGIN, *chunks, ACP_END, ascii_only=ascii_only), format_="gemini")
        plain = "".join(chance.choice([*alphabet, *controls]) for _ in range(60))
        logs.add(plain.encode("utf-8", "replace"))
        for _ in range(12):
            word = "".join(chance.choice(alphabet) for _ in range(chance.randrange(1, 4)))
            try:
                parsed([word])
            except BrokenQuery:
                continue
            found = sorted(TranscriptSearch(parsed([word]), limit=10_000).run(logs.missions).hits)
            assert found == everything_found(logs, monkeypatch, word), (round_, word, text, plain)


def test_many_bytes_are_sieved_by_a_second_process_with_the_same_hits(logs, monkeypatch):
    for number in range(20):
        word = "needle" if number in {1, 4, 18} else "text"
        logs.add(json_lines(claude_says(f"a {word} of {number}")), format_="claude", at=LONG_AGO + number)
    alone = logs.search("needle")
    monkeypatch.setattr(transcript_search, "_WORTH_A_PROCESS", 1)
    forked = []
    fork = os.fork

    def counted():
        forked.append(fork())
        return forked[-1]

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "fork", counted)
    assert logs.search("needle") == alone
    assert logs.search("needle", limit=1).has_more
    assert [hit.line for hit in alone.hits] == ["a needle of 18", "a needle of 4", "a needle of 1"]
    assert len(forked) == 2
    for child in forked:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, 0)


# hostile files


def test_a_pipe_or_a_link_in_a_log_is_not_read_and_named(logs, tmp_path):
    logs.add(b"needle\n")
    for name in ("pipe", "link"):
        files = logs.add(b"needle before\n")
        (segment,) = files.folder.glob("out.*")
        segment.unlink()
        os.mkfifo(segment) if name == "pipe" else segment.symlink_to(tmp_path / "elsewhere")
    files = logs.add(b"needle in front of a pipe\n")
    os.mkfifo(files.folder / "index.000007")
    (tmp_path / "elsewhere").write_bytes(b"needle elsewhere\n")
    found = logs.search("needle")
    assert [hit.line for hit in found.hits] == ["needle"]
    assert len(found.unread) == 3


def test_a_reader_of_logs_does_not_wait_for_a_pipe(logs):
    files = logs.add(b"text\n")
    (segment,) = files.folder.glob("out.*")
    segment.unlink()
    os.mkfifo(segment)
    assert RunLog(files.path).read(0, 0, 10) == (0, b"")


def test_a_log_that_is_gone_is_no_error(logs):
    files = logs.add(b"needle\n")
    for path in files.folder.iterdir():
        path.unlink()
    files.folder.rmdir()
    assert logs.search("needle") == ([], False, [])


def test_a_long_line_is_cut_around_its_word(logs):
    logs.add(b"x" * 100_000 + b" needle " + b"y" * 100_000 + b"\n")
    ((_, line),) = logs.lines("needle")
    assert "needle" in line
    assert len(line) <= transcript_search.LONGEST_LINE


def test_what_a_terminal_would_act_on_is_not_in_a_hit(logs):
    logs.add(b"\x1b]0;owned\x07\x1b[2Jneedle \x1b[31mred\x07\n")
    assert logs.lines("needle") == [("output", "needle red")]


def test_logs_without_a_record_are_found_with_their_format(logs, tmp_path):
    logs.add(json_lines(*ACP_BEGIN, chunk("nee"), chunk("dle"), ACP_END), format_="gemini")
    logs.add(json_lines(claude_says("no\nneedle")), format_="claude")
    logs.add(b"a plain needle\n")
    (tmp_path / ".hidden" / "000001").mkdir(parents=True)
    (tmp_path / "a file").write_bytes(b"needle\n")
    (tmp_path / os.fsdecode(b"\xff")).mkdir()
    logs.missions = unrecorded(str(tmp_path), {"00000002"})
    assert len(logs.missions) == 5
    assert sorted(logs.lines("needle")) == [("agent", "needle"), ("agent", "needle")]
    assert registry.recognised(b"text") is None
