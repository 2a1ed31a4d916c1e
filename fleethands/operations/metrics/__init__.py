"""Metrics for Prometheus: the program that collects them, its timer, and what it compares the host with."""
