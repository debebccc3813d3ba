"""Operation: start and stop the server, and change its versions. It reaches TorchServe only over HTTP.

The rooms import in one direction: refresh -> canary -> versions -> build -> process -> asgi -> store, and ray -> asgi.
The files beside the rooms import none of them.
"""

from model.terminal import behave_as_command

behave_as_command()
