"""syslog-ng's configuration."""
