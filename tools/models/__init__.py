"""How model files are made from pinned packages."""
