"""The site: the book around executed notebooks, checked before it is accepted, and editions for a course."""
