"""Changes of the firewall that cut the operator off, as cases by a seed."""
