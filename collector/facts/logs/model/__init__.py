"""Shapes and names of logs, which the formats below `logs` fill."""
