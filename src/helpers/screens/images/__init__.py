"""Images of sites: opened from a folder, a zip or a server, or drawn for a twin."""
