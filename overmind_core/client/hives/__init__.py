"""Named hives: other homes, reached over the person's own ssh or another command that runs `overmind gate`."""
