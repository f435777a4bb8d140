"""Disks, volumes and mounts, whether they are encrypted, what memory leaves on them."""
