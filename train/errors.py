"""The errors that a training reports to the person who started it."""


class DataError(ValueError):
    """A ratings file, folder or option that cannot be used.

    The message is for the person who gave it. It names the place (file and line), the value, and the allowed values.
    """


class DivergedError(RuntimeError):
    """The training's numbers are no longer finite, so the fitted network is useless."""
