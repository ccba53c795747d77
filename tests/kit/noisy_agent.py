"""Stands before a real program that is spoken to in JSON-RPC, and has it say more than it does; run by its path.

Its arguments are the real program, with its own. Each line of its output comes in two pieces. Behind the first ones,
and behind each that is a notice, come lines that no protocol has: no JSON, JSON that is no object, an unknown notice,
update and request; once a line of ten megabytes. What is answered to the unknown requests is kept from the program, and
written to the file that NOISE names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

REQUEST = "noise"
"""Our requests are called so, with a number behind."""
LONG = 10 * 1024 * 1024
_CONVERSATION = re.compile(rb'"(sessionId|threadId)":\s*("[^"]+")')


def noise(number: int, conversation: tuple[str, str]) -> Iterator[bytes]:
    """Return what is said behind the line with that number."""
    if number == 0:
        yield b"a banner that is no JSON \xff\x00"
        yield b"x" * LONG
    yield from (b"", b"[1, 2]", b"7", b"null", b'{"', b'"text"', b"{}", b'{"id": 4711, "result": {}}')
    name, session = conversation
    update = {"sessionUpdate": "unheard_of", "content": [{"type": "hologram"}]}
    for method in ("session/update", "overmind/unheard", "item/unheard"):
        yield json.dumps({"method": method, "params": {name: session, "update": update}}).encode()
    yield json.dumps({"id": f"{REQUEST}{number}", "method": "client/unheard", "params": {}}).encode()


def listen(program: subprocess.Popen[bytes]) -> None:
    """Hand on what is said to it, but for the answers to our requests."""
    assert program.stdin is not None
    with program.stdin, open(os.environ["NOISE"], "ab") as answers:
        for line in sys.stdin.buffer:
            if line.find(f'"{REQUEST}'.encode()) >= 0 and b'"method"' not in line:
                answers.write(line)
                answers.flush()
            else:
                program.stdin.write(line)
                program.stdin.flush()


def main() -> int:
    """Run it to its end."""
    out, number, conversation = sys.stdout.buffer, 0, ("sessionId", "")
    with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        threading.Thread(target=listen, args=(program,), daemon=True).start()
        for line in program.stdout:
            if found := _CONVERSATION.search(line):
                conversation = (found[1].decode(), json.loads(found[2]))
            half = len(line) // 2
            for piece in (line[:half], line[half:]):
                out.write(piece)
                out.flush()
            if b'"method"' in line or number == 0:
                out.writelines(said + b"\n" for said in noise(number, conversation))
                out.flush()
                number += 1
    return program.wait()


if __name__ == "__main__":
    sys.exit(main())
