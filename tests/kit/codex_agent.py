"""A program that speaks codex' own protocol and does what its prompts say; run by its path as `codex app-server`.

`!bash COMMAND` asks first, `!hang` waits until it is interrupted, `!error STATUS` fails, `!history` tells all prompts,
`!items LINES` tells items as they are; anything else is echoed. Threads are kept in the folder that RPC_KEPT names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from typing import Any

Json = dict[str, Any]

KEPT = os.environ["RPC_KEPT"]


class Interrupted(Exception):
    """The client ends the turn."""


class Agent:
    """One process."""

    def __init__(self) -> None:
        self.thread = ""
        self.turn = ""
        self.prompts: list[str] = []
        self.asked = 0
        self.items = 0

    def send(self, **message: object) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def heard(self) -> Json:
        line = sys.stdin.readline()
        if not line:
            raise SystemExit(0)
        return dict(json.loads(line))

    def tell(self, method: str, **params: object) -> None:
        self.send(method=method, params={"threadId": self.thread, "turnId": self.turn, **params})

    def begun(self, **item: object) -> Json:
        self.items += 1
        whole = {"id": f"i{self.items}", **item}
        self.tell("item/started", item=whole, startedAtMs=1)
        return whole

    def done(self, item: Json, **more: object) -> None:
        self.tell("item/completed", item={**item, **more}, completedAtMs=2)

    def say(self, text: str) -> None:
        item = self.begun(type="agentMessage", text="")
        self.tell("item/agentMessage/delta", itemId=item["id"], delta=text)
        self.done(item, text=text)

    def reply(self, number: int) -> Json:
        """What the client answers, unless it interrupts."""
        while True:
            found = self.heard()
            if found.get("method") == "turn/interrupt":
                assert (found["params"]["threadId"], found["params"]["turnId"]) == (self.thread, self.turn)
                raise Interrupted
            if found.get("id") == number and "method" not in found:
                return found

    def run(self, command: str) -> None:
        told = {"command": f"/bin/bash -lc {json.dumps(command)}", "cwd": os.getcwd()}
        item = self.begun(type="commandExecution", status="inProgress", **told)
        number, self.asked = self.asked, self.asked + 1
        params = {"threadId": self.thread, "turnId": self.turn, "itemId": item["id"], **told}
        self.send(id=number, method="item/commandExecution/requestApproval", params=params)
        decision = self.reply(number)["result"]["decision"]
        self.tell("serverRequest/resolved", requestId=number)
        if decision != "accept":
            self.done(item, status="declined")
            self.say("refused")
            return
        ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        how = {"status": "failed" if ran.returncode else "completed", "exitCode": ran.returncode}
        self.done(item, aggregatedOutput=ran.stdout, **how)
        self.say(f"it printed: {ran.stdout}")

    def prompt(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "!bash":
            self.run(rest)
        elif word == "!items":
            for one in json.loads(rest):
                self.done(self.begun(**one[0]), **one[1])
        elif word == "!hang":
            self.say("hanging\n")
            self.reply(-1)
        elif word == "!history":
            self.say(" | ".join(self.prompts))
        else:
            self.say(f"echo: {text}")

    def on_turn(self, number: object, params: Json) -> None:
        assert params["threadId"] == self.thread
        text = params["input"][0]["text"]
        self.prompts.append(text)
        path = os.path.join(KEPT, self.thread)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(self.prompts, file)
        os.replace(f"{path}.new", path)  # it may be killed at any moment
        self.turn = str(uuid.uuid4())
        self.send(id=number, result={"turn": {"id": self.turn, "status": "inProgress"}})
        self.tell("turn/started", turn={"id": self.turn, "status": "inProgress"})
        end: Json = {"status": "completed"}
        try:
            if text.startswith("!error"):
                end = {"status": "failed", "error": {"message": f"unexpected status {text.split()[1]} no"}}
            else:
                self.prompt(text)
        except Interrupted:
            end = {"status": "interrupted"}
        used = {"inputTokens": 900, "cachedInputTokens": 100, "outputTokens": 40}
        self.tell("thread/tokenUsage/updated", tokenUsage={"last": used, "total": used})
        self.tell("turn/completed", turn={"id": self.turn, **end})

    def on_thread(self, number: object, method: str, params: Json) -> None:
        self.thread = params.get("threadId") or str(uuid.uuid4())
        path = os.path.join(KEPT, self.thread)
        if method == "thread/resume":
            if not os.path.exists(path):
                self.send(id=number, error={"code": -32600, "message": f"no rollout found for {self.thread}"})
                return
            with open(path, encoding="utf-8") as file:
                self.prompts = json.load(file)
        with open(os.path.join(KEPT, "started"), "w", encoding="utf-8") as file:
            json.dump([sys.argv[1:], params], file)
        self.send(id=number, result={"thread": {"id": self.thread}, "model": params.get("model", "m1")})

    def serve(self) -> None:
        while True:
            found = self.heard()
            number, method, params = found.get("id"), str(found.get("method")), found.get("params", {})
            if method == "initialize":
                self.send(id=number, result={})
            elif method == "account/read":
                self.send(id=number, result={"account": None, "requiresOpenaiAuth": "CODEX_NO_LOGIN" in os.environ})
            elif method in {"thread/start", "thread/resume"}:
                self.on_thread(number, method, params)
            elif method == "turn/start":
                self.on_turn(number, params)
            elif method == "thread/backgroundTerminals/list":
                self.send(id=number, result={"data": []})


if __name__ == "__main__":
    Agent().serve()
