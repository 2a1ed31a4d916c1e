"""The Python API: fleets as objects, reports as values. Each call runs in a worker process of its own."""
