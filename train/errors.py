"""The one error that means: the data you gave cannot be used as it is."""


class DataError(ValueError):
    """A ratings file, folder or option that cannot be used.

    The message is meant for the person who gave it: where (file and line), what was got, what is allowed.
    """
