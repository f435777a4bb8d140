"""Signing keys: in files, in tokens, of SM2; and encryption to a recipient."""
