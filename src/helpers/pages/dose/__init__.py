"""What the page on dose response shows."""
