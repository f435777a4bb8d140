"""Controls of the family `monitoring`."""
