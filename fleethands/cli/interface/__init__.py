"""
The whole command line: each command, its options and its help.

What a command does is in the module of its name in `fleethands.cli.commands`, which is imported when the command runs.
"""

from fleethands.cli.interface import access, authority, bundle, everyday, hosts, lock, project, report
from fleethands.cli.interface.group import WIDTH, cli

__all__ = ["WIDTH", "access", "authority", "bundle", "cli", "everyday", "hosts", "lock", "project", "report"]
