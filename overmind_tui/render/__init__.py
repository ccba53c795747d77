"""What is drawn, computed without IO."""
