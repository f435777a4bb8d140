"""What roles look at before they change anything."""
