"""Types of values, and how upstream reads them."""
