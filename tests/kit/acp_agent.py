"""A program that speaks the Agent Client Protocol and does what its prompts say; run by its path.

`!bash COMMAND` and `!write PATH TEXT` ask first, `!hang` waits until it is cancelled, `!client` asks the client for a
file, `!late` and `!late-ask` go on with a tool after the reply, `!error CODE TEXT` fails, `!die` ends at once,
`!history` tells all prompts; anything else is echoed.
Conversations are kept in the folder that RPC_KEPT names. ACP_WAY: `no-login`, `old` (version 0 of the protocol),
`loads` (opens a conversation again by telling all of it, and counts what its process has used), `forks` (copies a
conversation), `dies-forking` (the same, and ends the first time, once the copy is stored), `leaves` (a child of it
speaks, and it ends), `begins` (announces nothing).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from typing import Any

Json = dict[str, Any]

KEPT = os.environ["RPC_KEPT"]
WAY = os.environ.get("ACP_WAY", "")
OPTIONS = [
    {"optionId": "always", "name": "Always", "kind": "allow_always"},
    {"optionId": "once", "name": "Once", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]
NAMES = ("auto", "default", "plan", "yolo", *(("agent",) if WAY == "loads" else ()))
MODES = {"currentModeId": "auto", "availableModes": [{"id": one, "name": one} for one in NAMES]}


class Cancelled(Exception):
    """The client ends the turn."""


class Agent:
    """One process."""

    def __init__(self) -> None:
        self.session = ""
        self.prompts: list[str] = []
        self.mode = "auto"
        self.asked = 0
        self.calls = 0
        self.turns = 0

    def send(self, **message: object) -> None:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()

    def heard(self) -> Json:
        line = sys.stdin.readline()
        if not line:
            raise SystemExit(0)
        return dict(json.loads(line))

    def update(self, what: str, **fields: object) -> None:
        update = {"sessionUpdate": what, **fields}
        self.send(method="session/update", params={"sessionId": self.session, "update": update})

    def speak(self, text: str) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": text})

    def request(self, method: str, **params: object) -> Json:
        """Ask the client, and return its reply."""
        number, self.asked = self.asked, self.asked + 1
        self.send(id=number, method=method, params={"sessionId": self.session, **params})
        while True:
            found = self.heard()
            if found.get("method") == "session/cancel":
                reply = self.heard()
                assert reply["result"]["outcome"]["outcome"] == "cancelled", "each open question is answered, too"
                raise Cancelled
            if found.get("id") == number and "method" not in found:
                return found

    def may(self, call: Json) -> bool:
        reply = self.request("session/request_permission", toolCall=call, options=OPTIONS)
        return reply["result"]["outcome"].get("optionId") in {"once", "always"}

    def call(self, title: str, kind: str, **fields: object) -> Json:
        self.calls += 1
        call: Json = {"toolCallId": f"call_{self.calls}", "title": title, "kind": kind, "status": "pending", **fields}
        self.update("tool_call", **call)
        return call

    def run(self, command: str) -> None:
        call = self.call(command, "execute", rawInput={"command": command})
        if self.mode != "yolo" and not self.may(call):
            error = {"error": "refused"}
            self.update("tool_call_update", toolCallId=call["toolCallId"], status="failed", rawOutput=error)
            self.speak("refused")
            return
        self.update("tool_call_update", toolCallId=call["toolCallId"], status="in_progress")
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        how = "completed" if done.returncode == 0 else "failed"
        told = {"output": done.stdout, "metadata": {"exit": done.returncode}}
        self.update("tool_call_update", toolCallId=call["toolCallId"], status=how, rawOutput=told)
        self.speak(f"it printed: {done.stdout}")

    def write(self, path: str, text: str) -> None:
        old = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                old = file.read()
        change = {"type": "diff", "path": path, "oldText": old, "newText": text}
        call = self.call(f"Writing to {path}", "edit", content=[change], locations=[{"path": path}])
        if self.may(call):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.update("tool_call_update", toolCallId=call["toolCallId"], status="completed")
        self.speak("written")

    def hang(self) -> None:
        self.speak("hanging\n")
        while self.heard().get("method") != "session/cancel":
            pass
        raise Cancelled

    def prompt(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "!bash":
            self.run(rest)
        elif word == "!write":
            self.write(*rest.split(" ", 1))
        elif word == "!hang":
            self.hang()
        elif word == "!client":
            self.speak(f"client: {self.request('fs/read_text_file', path='/etc/passwd')['error']['code']}")
        elif word == "!die":
            os._exit(3)
        elif word == "!history":
            self.speak(" | ".join(self.prompts))
        else:
            self.speak("echo: ")
            self.speak(text)

    def keep(self) -> None:
        path = os.path.join(KEPT, self.session)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(self.prompts, file)
        os.replace(f"{path}.new", path)  # it may be killed at any moment

    def on_prompt(self, number: object, params: Json) -> None:
        assert params["sessionId"] == self.session
        text = params["prompt"][-1]["text"]
        self.prompts.append(text)
        self.keep()
        if text.startswith("!error"):
            _, code, why = text.split(" ", 2)
            self.send(id=number, error={"code": int(code), "message": why})
            return
        stop = "end_turn"
        try:
            self.prompt(text)
        except Cancelled:
            stop = "cancelled"
        self.update("usage_update", used=9, size=10, cost={"amount": 0.5 * len(self.prompts), "currency": "USD"})
        self.turns += 1
        times = self.turns if WAY == "loads" else 1
        self.send(
            id=number, result={"stopReason": stop, "usage": {"inputTokens": 10 * times, "outputTokens": 2 * times}}
        )
        if text == "!late":
            self.update("tool_call_update", toolCallId="late", title="look", kind="other", status="in_progress")
        elif text == "!late-ask" and self.may(self.call("touch late", "execute", rawInput={"command": "touch late"})):
            subprocess.run(["touch", "late"], check=True)

    def on_session(self, number: object, method: str, params: Json) -> None:
        assert os.path.samefile(params["cwd"], os.getcwd())
        if WAY == "no-login":
            self.send(id=number, error={"code": -32000, "message": "Authentication required"})
            return
        self.session = params.get("sessionId") or f"ses_{uuid.uuid4()}"
        path = os.path.join(KEPT, self.session)
        forks = method == "session/fork"
        if method != "session/new":
            if not os.path.exists(path):
                self.send(id=number, error={"code": -32603, "message": "no such session"})
                return
            with open(path, encoding="utf-8") as file:
                self.prompts = json.load(file)
        if forks:
            self.session = f"ses_{uuid.uuid4()}"
            self.keep()
            if WAY == "dies-forking" and not os.path.exists(died := os.path.join(KEPT, "died")):
                with open(died, "w", encoding="utf-8"):
                    os._exit(3)
        if method == "session/load" or forks:
            for text in self.prompts:
                self.update("user_message_chunk", content={"type": "text", "text": text})
                self.speak(f"echo: {text}")
        self.send(id=number, result={"sessionId": self.session, "modes": MODES, "models": {"currentModelId": "m1"}})
        self.update("available_commands_update", availableCommands=[])

    def serve(self) -> None:
        sys.stdout.write("a banner that is no JSON\n")
        while True:
            found = self.heard()
            number, method, params = found.get("id"), str(found.get("method")), found.get("params", {})
            if method == "initialize":
                forks: Json = {"fork": {}} if WAY.endswith(("forks", "forking")) else {}
                able: Json = {"sessionCapabilities": {"resume": {}, **forks}}
                able = {"loadSession": True} if WAY == "loads" else {} if WAY == "begins" else able
                self.send(id=number, result={"protocolVersion": 0 if WAY == "old" else 1, "agentCapabilities": able})
            elif method in {"session/new", "session/resume", "session/load", "session/fork"}:
                self.on_session(number, method, params)
            elif method == "session/set_mode":
                self.mode = params["modeId"]
                self.send(id=number, result={})
            elif method == "session/prompt":
                self.on_prompt(number, params)


if __name__ == "__main__":
    if WAY == "leaves":
        first = os.getpid()
        if os.fork():
            os._exit(0)
        with suppress(ProcessLookupError):  # until its end was seen: the conversation could open before that
            while True:
                os.kill(first, 0)
                time.sleep(0.01)
    Agent().serve()
