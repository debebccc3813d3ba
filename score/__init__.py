"""The best movies of every user in one run: from a version to a folder of Parquet files, without a server."""

from model.terminal import behave_as_command

behave_as_command()
