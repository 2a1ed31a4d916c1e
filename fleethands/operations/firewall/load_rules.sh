# Loads the nftables table of fleethands, now and at boot. Other tables are never touched.
load_table
