"""Shell scripts: a parser, and a model that says what becomes of each command (ADR 33)."""
