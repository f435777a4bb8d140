"""Links that customers hand in by, and the commands that work off what came."""
