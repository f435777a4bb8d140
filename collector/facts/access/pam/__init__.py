"""PAM: the stack that a service runs through, and what its modules ask for."""
