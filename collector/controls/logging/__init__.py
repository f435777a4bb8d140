"""Controls of the family `logging`."""
