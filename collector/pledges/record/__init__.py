"""A pledge record: its form, what is wrong with it, who is named in it."""
