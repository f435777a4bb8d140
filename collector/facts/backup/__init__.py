"""Important data joined with the jobs, copies and records that show it can be restored."""
