"""Pledge records (登记) and the register that keeps them with their evidence."""
