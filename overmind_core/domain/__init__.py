"""What is true: pure decisions, standard library only, no clock and no IO."""
