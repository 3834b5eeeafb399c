"""The recommendations page: a list for one person, why each item is in it, and what would change that."""
