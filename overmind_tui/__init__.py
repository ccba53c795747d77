"""The full-screen program: everything that the missions do, live, and every action on them a key away."""
