"""The page *Scenarios*: ten fields on cards; behind each its list, why it stands so, whom it serves, what to watch."""
