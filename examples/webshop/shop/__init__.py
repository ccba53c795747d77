"""A small shop: carts in Redis, pages over HTTP, nothing but the standard library."""
