"""The documentation's site: `make docs`, or `python -m tools.site [FOLDER]`.

Two sites of the same shape, Chinese and English, from `docs/` and from what the code says of
itself: commands, reads, schemas, messages, controls, clauses. Made without a network, and readable
without one: FOLDER/index.html opens from a disk.
"""
