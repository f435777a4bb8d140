"""systemd's journal: settings, limits, what it holds, events in it."""
