"""OpenHands as a container or as a service, with its model."""
