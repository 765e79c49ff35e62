"""Pages: what the notebooks show, a room for each; words, tables, search and downloads that they share."""
