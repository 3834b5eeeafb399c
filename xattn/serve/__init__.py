"""HTTP over a `Live` object: routes, keys, limits, measurements, and the document that describes them (OpenAPI).

problems   errors as application/problem+json      limits    sizes, rates, time
keys       who may call what                       measures  what /metrics tells
routes     one function a route                    describe  the OpenAPI document
           app, server    all of it together, and Uvicorn around it
"""

from xattn.serve.app import make_app
from xattn.serve.limits import Limits
from xattn.serve.server import serve

__all__ = ["Limits", "make_app", "serve"]
