"""A script of the author's, run as an objective."""
