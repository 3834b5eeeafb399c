"""The page for one's own behaviour: films picked by title, or vectors typed by hand."""
