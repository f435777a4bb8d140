"""What the page keeps of its own: accounts, sessions, the log of access, and its index."""
