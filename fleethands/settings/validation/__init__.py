"""What is wrong with settings, and how it is said."""
