"""A host whose important database is backed up every night to another host, both real."""
