"""Packets, rules over them, and what becomes of a packet: no form of any tool in it."""
