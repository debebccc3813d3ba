"""The errors of a training that are told to the person who started it."""


class DataError(ValueError):
    """A ratings file, folder or option that cannot be used.

    The message is meant for the person who gave it: where (file and line), what was got, what is allowed.
    """


class DivergedError(RuntimeError):
    """The training's numbers are no longer finite; what was fitted is worthless."""
