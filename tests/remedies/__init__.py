"""Remedies typed on real hosts: how, and in which state a host is before."""
