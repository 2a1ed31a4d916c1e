"""The sentinel: a timer on a host that makes the proof without a controller."""
