"""Interfaces, listening sockets, and what of the kernel takes packets before the rules do."""
