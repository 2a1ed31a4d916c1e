"""The command line. pyinfra is imported by the commands that need it, not by the help."""
