"""Sums over the rows of tables, the same whatever the number of threads."""
