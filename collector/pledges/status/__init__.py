"""How a pledge stands by its newest evidence."""
