"""Software that rotates and removes its own logs."""
