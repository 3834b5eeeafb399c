"""What all pages share: text and its language, the address, fields, charts with their tables, undo. Knows no page."""
