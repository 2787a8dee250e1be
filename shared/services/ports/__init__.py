"""What the use cases need from the outside. ``shared/bootstrap.py`` decides who provides it."""
