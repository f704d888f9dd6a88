"""oneDNN kernels for JAX on x86-64 CPUs: pure functions on channels-last arrays, for use inside jax.jit."""

from importlib.metadata import version

from lamina_native.attention import *
from lamina_native.convolution import *
from lamina_native.installing import *
from lamina_native.jaxpr_program import *
from lamina_native.library import ACTIVATIONS, plans, plans_capacity, plans_made, set_threads, supported, threads
from lamina_native.normalization import *
from lamina_native.optimizers import *
from lamina_native.pooling import *
from lamina_native.products import *
from lamina_native.recurrent import *
from lamina_native.rows import *
from lamina_native.small_programs import *

__version__ = version("lamina-native")
