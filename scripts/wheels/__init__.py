"""Wheels that an index takes, for every platform and Python: docs/decisions/build/wheels.txt."""
