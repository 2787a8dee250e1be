"""Measuring the default model on the development speech, for docs/accuracy.md."""
