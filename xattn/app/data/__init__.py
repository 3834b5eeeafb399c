"""Your data: files, pasted text or a database become a checked table, a fitted model, and what all pages show."""
