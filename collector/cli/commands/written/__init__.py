"""Commands about files that people write."""
