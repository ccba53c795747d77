"""From records to cells and lines: pure, without clock, files, sockets or Textual."""
