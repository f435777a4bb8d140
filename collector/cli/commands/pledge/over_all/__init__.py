"""What is asked of all customers at once."""
