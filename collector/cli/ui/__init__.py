"""How it is said: language, columns, progress, and the views of one thing each."""
