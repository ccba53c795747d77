"""What a person has configured, and how it looks then."""
