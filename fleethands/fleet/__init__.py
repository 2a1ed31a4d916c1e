"""Inventories, and the hosts that a run selects from them."""
