"""Samples of log records, masked, and the fields they show."""
