"""The first page: pick three films, see a list and why, and have the reason proved."""
