"""What the control node itself asks of others."""
