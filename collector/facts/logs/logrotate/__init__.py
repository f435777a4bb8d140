"""logrotate, in full: which files it reads, what they say, what they leave of a log."""
