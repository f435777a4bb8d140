"""The register's page in a browser: read by many, and it writes nothing to the register."""
