"""Mutation of hosts: mechanical spoilings of what a passing case's host said (ADR 46).

A spoiling takes a case and gives the same host badly kept, or None where the case has nothing that
it could spoil. `list.yml` says which controls withstand which, and why the others need not.
"""
