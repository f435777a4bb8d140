"""What several rooms count with: intervals, timestamps, versions of packages, redaction."""
