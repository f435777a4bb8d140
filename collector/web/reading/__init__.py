"""What the pages show, put together from the register that is only read."""
