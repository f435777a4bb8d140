"""rsyslog's configuration, old and new forms."""
