"""A deploy file of the tests: the firewall of fleethands alone, whose rules host data can break."""

from broken_firewall import close  # type: ignore[import-not-found]  # next to this file, in the project

close()
