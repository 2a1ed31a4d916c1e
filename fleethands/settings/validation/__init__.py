"""Checks of settings, and their messages."""
