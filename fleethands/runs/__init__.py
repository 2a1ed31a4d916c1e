"""What one run does to hosts, without a terminal: for the command line and for the Python API."""
