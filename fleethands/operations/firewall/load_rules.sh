# Loads our own nftables table, in one transaction, now and at boot. No other table is touched.
load_table
