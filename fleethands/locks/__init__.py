"""Locks of hosts: those of a run, and those of a person."""
