"""Simulated meetings with known turns, and what Timbre and its peers make of them."""
