"""Anti-malware, intrusion detection, integrity of files, and whether they work."""
