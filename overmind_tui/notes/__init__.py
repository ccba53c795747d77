"""Notes: what agents and people remembered, found and judged here; and what a mission was given of it."""
