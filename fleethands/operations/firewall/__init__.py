"""Our own nftables table."""
