"""A library of hosts: for each family and release a root of its shape, where the script runs.

Nothing in it was recorded: files and the outputs of commands are composed from facts (`facts.py`
and the modules of families), each form by the version that prints it; `forms.py` says where a form
was looked up. What an honest auditor would say of each host stands in `expected/`.
"""
