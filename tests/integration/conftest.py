"""The built models, as the unit tests have them."""

from tests.unit.conftest import card, listener, model, model_file

__all__ = ["card", "listener", "model", "model_file"]
