"""The twin: a simulated screen with RxRx19a's layout and quirks, invented embeddings and a known truth."""
