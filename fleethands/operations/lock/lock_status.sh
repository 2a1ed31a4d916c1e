# Says who has a host, and changes nothing.
answer status
