"""Fitting what a model's scores mean."""
