"""`hostpledge pledge`: the records, a subcommand or a table a module."""
