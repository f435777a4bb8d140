"""Commands that show what one engine says: exposure, retention, shell."""
