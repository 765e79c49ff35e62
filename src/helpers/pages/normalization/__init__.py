"""What the page on normalisation shows."""
