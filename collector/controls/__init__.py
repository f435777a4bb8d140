"""Controls: `<family>/<name>.yml` (metadata) with `<family>/<name>.py` (judge)."""
