"""The mesh: workers, the reader of what they send, and real Receptor nodes in namespaces."""
