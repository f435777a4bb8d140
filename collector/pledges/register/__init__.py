"""The register: records, evidence attached to them, proofs of its log."""
