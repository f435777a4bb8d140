"""Which listening sockets can be reached from where, under the rules as loaded."""
