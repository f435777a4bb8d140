"""Web servers' logs: which sites have one, and what its records hold."""
