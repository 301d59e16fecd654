"""Servers that stay registered, and the ephemeral nodes that they are."""
