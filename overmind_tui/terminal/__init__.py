"""A mission's terminal inside the program: live bytes in, keys out, and what a person does with what stands there."""
