"""Plans of dependent agents: their shape, their order, and what may start now. Pure."""
