# Prints who holds the locks of a host.
answer status
