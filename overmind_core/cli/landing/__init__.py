"""Commands that review and land work."""
