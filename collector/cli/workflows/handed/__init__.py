"""What customers handed in, held to the register, and taken into it."""
