"""The board: every quest as a card in one of five columns."""
