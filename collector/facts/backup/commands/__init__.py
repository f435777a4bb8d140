"""What backup jobs are told to do: command lines, settings, destinations."""
