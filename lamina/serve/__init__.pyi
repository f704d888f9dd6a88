"""The public names of `lamina.serve`: the one table that editors and `lamina.core.lazy` read."""

from lamina.serve.app import Limits as Limits
from lamina.serve.app import make_app as make_app
from lamina.serve.running import serve as serve
