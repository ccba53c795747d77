"""Shell command lines, taken apart without running them."""
