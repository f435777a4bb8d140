"""Lists in and out, inventories, backup and restore, disposal."""
