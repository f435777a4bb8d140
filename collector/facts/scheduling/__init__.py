"""What starts by itself: crontabs, periodic folders, systemd timers, and what they call."""
