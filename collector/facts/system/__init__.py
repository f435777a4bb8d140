"""The host itself: its release, packages, services, processes, accounts."""
