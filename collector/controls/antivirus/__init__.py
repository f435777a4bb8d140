"""Controls of the family `antivirus`."""
