"""The worked example as a lesson: the article's four steps, for its own numbers and for any others."""
