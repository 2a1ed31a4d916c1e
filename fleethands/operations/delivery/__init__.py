"""Sends parts of a bundle to a host."""
