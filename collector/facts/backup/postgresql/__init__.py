"""PostgreSQL's write-ahead log: how it is archived."""
