"""Asking each server of an ensemble for itself, outside any session."""
