"""Requests over plain HTTP. Without certificates of authorities, which take 40 ms of CPU to load, and with patience."""

from functools import partial

import httpx

request = partial(httpx.request, timeout=120, trust_env=False, verify=False)
get = partial(request, "GET")
head = partial(request, "HEAD")
options = partial(request, "OPTIONS")
post = partial(request, "POST")
put = partial(request, "PUT")
delete = partial(request, "DELETE")
