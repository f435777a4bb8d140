"""What the rooms below the command line say, in Chinese."""
