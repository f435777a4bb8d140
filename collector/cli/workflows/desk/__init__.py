"""What an operator asks of one pledge, or has made for its customer."""
