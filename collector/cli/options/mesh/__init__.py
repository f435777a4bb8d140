"""Options of hosts that mesh nodes collect from."""
