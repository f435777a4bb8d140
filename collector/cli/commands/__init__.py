"""What a person types: a command a module, which chooses, calls and says."""
