"""What several commands do alike, step by step, between the options and the engine."""
