"""What one version of a pledge record says otherwise than another, as people and programs read."""
