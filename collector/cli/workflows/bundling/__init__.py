"""A signed bundle of what a folder holds, or one for each pledge that its hosts are of."""
