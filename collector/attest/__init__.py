"""Findings and captures → a signed bundle: statement, envelope, keys, container."""
