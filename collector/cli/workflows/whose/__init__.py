"""Whose the hosts are that evidence of a pledge is made of."""
