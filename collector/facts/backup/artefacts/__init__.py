"""What backups leave behind: dumps, archives, repositories, reports, checks."""
