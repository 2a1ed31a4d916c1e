"""Side-by-side timings on lab hosts: `make bench`."""
