"""Which logs the programs that run write, wherever they lie, and for how long they stay."""
