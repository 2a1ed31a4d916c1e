"""`make release`: builds the files of a release from a commit, and checks them."""
