"""Where records and evidence are kept: tables, rows, the log of what was attached."""
