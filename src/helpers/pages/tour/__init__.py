"""What the dataset tour shows."""
