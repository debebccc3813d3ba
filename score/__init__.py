"""The best movies of every user in one run: from a version to a folder of Parquet files, without a server."""
