"""Formats: each file turns one kind of source into a table, whose cells are what stands in the source."""
