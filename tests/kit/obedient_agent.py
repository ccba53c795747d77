"""A program that speaks the Agent Client Protocol and obeys the prompts of `provider test`; run by its path.

OBEDIENT_WAY says what it does wrong: `never-asks`, `forgets`, `ignores-deny`, `chatters`, `wants-more`; "" is nothing.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.kit import acp_agent, directives

WAY = os.environ.get("OBEDIENT_WAY", "")


class Obedient(acp_agent.Agent):
    """One process."""

    def prompt(self, text: str) -> None:
        texts = [] if WAY == "forgets" else self.prompts
        word, _, rest = directives.obeyed(text, texts).partition(" ")
        if word == "!say":
            self.speak(f"Sure! {rest}" if WAY == "chatters" else rest)
        elif word == "!bash":
            self.run_tool(rest)
        else:
            super().prompt(text)

    def run_tool(self, command: str) -> None:
        """Run it in a process of its own, which ends when the client cancels the turn."""
        if WAY == "wants-more":
            more = f"touch {os.environ['RPC_KEPT']}/more"
            if self.may(self.call(more, "execute", rawInput={"command": more})):
                subprocess.run(["sh", "-c", more], check=True)
        call = self.call(command, "execute", rawInput={"command": command})
        if WAY != "never-asks" and not self.may(call) and WAY != "ignores-deny":
            self.speak("refused")
            return
        with subprocess.Popen(["sh", "-c", f"{command} & wait $!"], start_new_session=True) as tool:
            try:
                self.await_tool(tool)
            finally:
                if tool.poll() is None:
                    os.killpg(tool.pid, 9)
        self.speak("done")

    def await_tool(self, tool: subprocess.Popen[bytes]) -> None:
        """Return at its end, raise when the turn is cancelled before."""
        while tool.poll() is None:
            if select.select([0], [], [], 0.05)[0] and self.heard().get("method") == "session/cancel":
                raise acp_agent.Cancelled


if __name__ == "__main__":
    Obedient().serve()
