"""Which logs leave the host, to where, and whether they arrive."""
