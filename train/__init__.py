"""From a ratings file to a model archive: reading, splitting, training, packing."""

from model.terminal import behave_as_command

behave_as_command()
