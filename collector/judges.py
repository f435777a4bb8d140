"""Predicates that several controls share."""
