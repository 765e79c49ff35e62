"""What the page on hit calling shows."""
