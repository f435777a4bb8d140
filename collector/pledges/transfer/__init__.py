"""Pledges out as archives and inventories, backup and restore, disposal."""
