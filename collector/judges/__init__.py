"""What several controls judge by: numbers and dates, attestations, retention, losses, TLS."""
