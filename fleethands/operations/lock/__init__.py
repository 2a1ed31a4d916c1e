"""The lock of a host."""
