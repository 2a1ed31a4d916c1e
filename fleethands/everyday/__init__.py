"""What `exec`, `logs`, `models` and `history` send to hosts, and what the hosts answer. None of it takes a lock."""
