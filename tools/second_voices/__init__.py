"""Two voices in one enrollment: recordings with and without, and how many of each the service refuses."""
