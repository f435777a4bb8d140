"""The application as a whole, what guards it, and the server under it."""
