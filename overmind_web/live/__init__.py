"""What a page shows, live: one socket per tab, panes, presses, presence."""
