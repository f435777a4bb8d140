"""Probes: acts that make a control show itself, only where somebody agreed to each."""
