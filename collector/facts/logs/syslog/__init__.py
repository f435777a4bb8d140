"""Syslog daemons: which runs, and where each message goes."""
