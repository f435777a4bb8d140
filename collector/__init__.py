"""hostpledge: shows, host by host, that the technical duties of a network pledge are kept."""

__version__ = "0.1.0"
