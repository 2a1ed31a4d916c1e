"""Operations: each compares settings with the probe and changes what differs."""
