"""Restores the state of a release record."""
