"""Monitoring agents, time synchronisation, the ledger of events."""
