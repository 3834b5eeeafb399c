"""The page for one's own vectors, typed by hand."""
