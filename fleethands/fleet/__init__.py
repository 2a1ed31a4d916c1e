"""Which hosts are meant, and what their inventory says of them."""
