"""auditd: its state, its rules, what they cover, its own records."""
