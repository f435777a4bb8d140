"""Controls of the family `classification`."""
