"""Long recordings, read in ranges from where their owner keeps them."""
