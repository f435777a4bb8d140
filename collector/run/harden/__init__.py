"""Hardening: plan to play, guarded and undone."""
