"""The boxes. Their settings are in group_data/gpu.py."""

gpu = ["gpu-1.example.com", "gpu-2.example.com"]
