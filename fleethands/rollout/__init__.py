"""Plan, apply and report over a fleet, around the same deploy.py that stock pyinfra runs."""
