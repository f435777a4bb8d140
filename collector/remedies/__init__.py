"""What a person types to bring a control about: steps per platform, and their loader."""
