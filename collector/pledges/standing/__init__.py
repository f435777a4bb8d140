"""What the register says of pledges over time."""
