"""Collecting through a mesh of nodes: shards out, signed captures in (ADR 70)."""
