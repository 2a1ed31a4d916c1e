"""Real hosts on this machine, and an internet of their own under the real names."""
