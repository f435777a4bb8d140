"""What probes recorded on a host, and what that shows: pure, from the recording alone."""
