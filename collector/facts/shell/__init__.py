"""Shell scripts, as far as their text tells what becomes of a command."""
