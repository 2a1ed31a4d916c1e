"""What a run brings to hosts: releases, models and images, as files that are named by their digests."""
