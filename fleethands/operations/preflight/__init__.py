"""What is checked before anything on a host is changed."""
