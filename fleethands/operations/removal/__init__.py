"""Removes what fleethands put on a host."""
