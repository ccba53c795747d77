"""Health: whether missions that run show signs of life, and whether agents lose their way."""
