"""Images for tests with a real engine, made from programs of this machine."""
