"""nft's JSON and its own language, read into rules."""
