"""Commands around a running service: `serve`, `keys`, `satisfaction`."""
