"""What we export, read by the programs of others (`make readers`); docs/exports.md has the table.

Opt-in: they are not ours, and want npm, a container, or sources of theirs. Each prints one row.
"""
