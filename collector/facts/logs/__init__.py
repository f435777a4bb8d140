"""How long each log is kept, what is in it, and what removes it."""
