"""The living picture of a list: what somebody did on the left, what follows on the right, what counts between."""
