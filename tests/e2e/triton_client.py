"""Triton's own client, asking for columns of pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tritonclient.http as triton

from tests.e2e.project import Project


def ask_triton(
    served: Project,
    users: Sequence[int],
    movies: Sequence[int],
    raw: bool = True,
    outputs: Sequence[str] | None = None,
    request_id: str = "",
) -> triton.InferResult:
    """The answer to one request. `raw`, the client's default, sends and receives bytes in place of JSON.

    Raises:
        tritonclient.utils.InferenceServerException: with the server's words.
    """
    inputs = []
    for name, values in (("user_id", users), ("movie_id", movies)):
        tensor = triton.InferInput(name, [len(values)], "INT64")
        tensor.set_data_from_numpy(np.array(values), binary_data=raw)
        inputs.append(tensor)
    wanted = outputs and [triton.InferRequestedOutput(name, binary_data=raw) for name in outputs]
    client = triton.InferenceServerClient(served.settings.inference.removeprefix("http://"), network_timeout=120)
    try:
        return client.infer("ncf", inputs, outputs=wanted, request_id=request_id)
    finally:
        client.close()
