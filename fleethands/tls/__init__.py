"""Certificates of servers: the authority on the controller, what it issues, and what a certificate is good for."""
