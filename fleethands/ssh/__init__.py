"""Connections to hosts, as OpenSSH would make them."""
