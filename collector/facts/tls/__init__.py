"""What a port answers to TLS, and certificates."""
