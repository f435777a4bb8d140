"""A bundle: a BagIt folder with evidence, captures and the signed statement."""
