"""Releases are built and installed for real, as a stranger does it."""
