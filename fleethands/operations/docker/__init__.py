"""A Docker engine on the host."""
