"""What is nearest: keys of largest product, and items that the same people took."""
