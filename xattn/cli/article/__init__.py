"""What the article shows, on the command line: its worked example, and its pipeline on any data."""
