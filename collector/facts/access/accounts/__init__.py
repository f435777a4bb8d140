"""Accounts and passwords that /etc/passwd and /etc/shadow do not show by themselves."""
