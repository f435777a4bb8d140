"""The signed statement: canonical bytes, in-toto, DSSE, RFC 3161."""
