"""iptables-save and ipset's lists, read into rules."""
