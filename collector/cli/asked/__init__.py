"""What a whole call was asked for, wherever it stands: how it ends, and how much it says."""
