"""`hostpledge serve` and the accounts of it."""
