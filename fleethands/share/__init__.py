"""The relays of a run: hosts of a site pass releases, models and images on to each other."""
