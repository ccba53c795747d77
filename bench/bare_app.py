"""The least that Textual can be: one line that counts keys. Runs in the product's environment."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """Counts."""

    count = 0

    def compose(self) -> ComposeResult:
        """One line."""
        yield Static("count 0")

    def on_key(self) -> None:
        """One more."""
        self.count += 1
        self.query_one(Static).update(f"count {self.count}")


if __name__ == "__main__":
    Bare().run()
