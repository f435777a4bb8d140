"""Controls of the family `intrusion`."""
