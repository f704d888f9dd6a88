"""The kernels as CPU lowerings of JAX's own primitives, for every program of JAX: `install()`."""

import contextlib
import threading

import jax
from jax.interpreters import mlir

from lamina_native.lowering_convolution import convolution_program
from lamina_native.lowering_pooling import max_pool_gradient_program, max_pool_program
from lamina_native.lowering_rows import add_rows_program

__all__ = ["install", "installed", "uninstall"]

_lock = threading.RLock()
_attention = []  # JAX's function, where another is in its place
_former = {}  # {primitive: the rule that it had for CPUs, None if it had none of its own}


def install():
    """Let programs of JAX for CPUs use the kernels: convolutions, max pooling, `jax.nn.dot_product_attention` and
    gradients of rows, from Flax, Equinox or plain JAX.

    Programs that are compiled from now on use them, so all that JAX has compiled is forgotten. Shapes and dtypes that
    the kernels do not serve, exported programs and programs for several devices keep the rules of JAX.

    >>> import lamina_native
    >>> lamina_native.install()
    >>> lamina_native.uninstall()
    """
    with _lock:
        if _former:
            return
        for primitive, program in _programs().items():
            _former[primitive] = _rules().get(primitive)
            mlir.register_lowering(primitive, _rule(program, _rule_before(primitive)), platform="cpu")
        _replace_attention()
        jax.clear_caches()


def uninstall():
    """Give JAX its own rules back. Programs that are compiled from now on use them; what is compiled is forgotten."""
    with _lock:
        if not _former:
            return
        for primitive, entry in _former.items():
            if entry is None:
                del _rules()[primitive]
            else:
                _rules()[primitive] = entry
        _former.clear()
        _restore_attention()
        jax.clear_caches()


@contextlib.contextmanager
def installed():
    """A context in which `install` holds. Leaving it restores what was before."""
    before = bool(_former)
    install()
    try:
        yield
    finally:
        if not before:
            uninstall()


def _programs():
    """{primitive: a function of its shapes and settings that returns a program, or None if no kernel serves them}."""
    return {
        jax.lax.conv_general_dilated_p: convolution_program,
        jax.lax.reduce_window_max_p: max_pool_program,
        jax.lax.select_and_scatter_add_p: max_pool_gradient_program,
        jax.lax.scatter_add_p: add_rows_program,
    }


def _replace_attention():
    """Attention is no primitive of JAX, so the function that `jax.nn.dot_product_attention` calls is replaced."""
    from jax._src.nn import functions

    from lamina_native.attention_primitives import patched

    if hasattr(functions, "_dot_product_attention_xla"):
        _attention.append(functions._dot_product_attention_xla)
        functions._dot_product_attention_xla = patched(_attention[0], _may_call)


def _restore_attention():
    from jax._src.nn import functions

    if _attention:
        functions._dot_product_attention_xla = _attention.pop()


def _rules():
    """JAX's own table of the rules for CPUs: there is no public way to read it, or to take a rule back."""
    from jax._src.interpreters.mlir import _platform_specific_lowerings

    return _platform_specific_lowerings["cpu"]


def _rule_before(primitive):
    from jax._src.interpreters.mlir import _lowerings

    entry = _rules().get(primitive) or _lowerings[primitive]
    return getattr(entry, "rule", entry)  # older versions of JAX keep the function itself


def _rule(program, before):
    def lower(ctx, *operands, **settings):
        chosen = program(*ctx.avals_in, **settings) if _may_call(ctx) else None
        if chosen is None:
            return before(ctx, *operands, **settings)
        return mlir.lower_fun(chosen, multiple_results=False)(ctx, *operands)

    return lower


def _may_call(ctx):
    """Whether the program is for this process and one device: XLA cannot partition calls of kernels, and files that
    hold them could not be read elsewhere."""
    module = ctx.module_context
    return not module.lowering_parameters.for_export and getattr(module.axis_context, "num_devices", 0) == 1
