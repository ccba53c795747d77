"""The agent of the spec's demonstration: it plays its part of a script, and speaks as Claude Code does, in lines.

`python -m overmind_core.demo.spec_agent SCRIPT …`; what stands behind the script is for the real program.
"""

from __future__ import annotations

import os
import sys
import time
from typing import NoReturn

from overmind_core.demo import script
from overmind_core.demo.agent import NO_SESSION, SESSION, option
from overmind_core.demo.script import InvalidScript
from overmind_core.demo.script_player import UNUSABLE, Player, StepFailed
from overmind_core.demo.stage import TurnInterrupted
from overmind_core.demo.stream_agent import InputEnded, StreamStage


class TurnFailed(Exception):
    """The model has not answered; the text is why, as the program says it."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class ScriptedStreamStage(StreamStage):
    """A stage whose audience reads lines, and whose model can cost something, or not answer."""

    def spend(self, dollars: float) -> None:
        """The result of the turn says it."""
        self.spent += dollars

    def limited(self, seconds: float) -> NoReturn:
        """The usage limit of an account, which ends at a whole second."""
        ends = int(time.time()) + max(1, -int(-seconds // 1))
        raise TurnFailed(f"Claude AI usage limit reached|{ends}", 429)

    def failed(self, status: int) -> NoReturn:
        """The server's answer."""
        raise TurnFailed(f"API Error: {status}", status)


def play(stage: ScriptedStreamStage, player: Player, folder: str) -> None:
    """Play a turn for each message, until there are no more."""
    while (message := stage.message()) is not None:
        began = time.monotonic()
        again = player.has_begun
        stage.begin(message, folder)
        try:
            if again:
                stage.say(f"heard: {message.text}")
            player.play(stage)
        except TurnInterrupted:
            stage.end("", time.monotonic() - began, interrupted=True)
        except TurnFailed as failed:
            stage.end(str(failed), time.monotonic() - began, status=failed.status)
        else:
            stage.end(stage.said, time.monotonic() - began)


def main() -> None:
    """Play in the folder that we stand in."""
    path, *argv = sys.argv[1:]
    try:
        player = Player(script.part(path, os.environ))
        play(ScriptedStreamStage(option(argv, SESSION, NO_SESSION)), player, os.getcwd())
    except (OSError, InvalidScript, StepFailed) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(UNUSABLE)
    except (InputEnded, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main()
