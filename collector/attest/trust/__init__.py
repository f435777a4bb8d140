"""Whom a verifier trusts, and how trust gets to a team."""
