"""Runs pyinfra over a fleet: many hosts at once, each at its own pace, seen while they work."""
