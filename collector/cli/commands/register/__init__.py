"""`hostpledge register`: the log of what was attached, its backup."""
