"""Landing: a mission's work is reviewed, merged, pushed or discarded."""
