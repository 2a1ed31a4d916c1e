"""Rollouts over a fleet, and the reports of plans and runs."""
