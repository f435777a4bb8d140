"""Tests of what changes hosts."""
