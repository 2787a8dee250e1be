"""Compares what is stored with what refers to it: rows, blobs, keys, and what the timer has yet to do."""
