"""Whether a failed test run may be tried again, and which tests of it."""
