"""Hosts of a site pass parts on to each other: the relay, and the programs that ask it."""
