"""Controls of the family `firewall`."""
