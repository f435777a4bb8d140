"""The register's Merkle log, its checkpoints, and entries of Rekor."""
