"""`jax.nn.dot_product_attention` by the kernels of attention: primitives, so that derivatives of every order, forward
mode and `vmap` stay those of the formula."""

import functools
import inspect

import jax
import jax.numpy as jnp
from jax.interpreters import ad, batching, mlir

from lamina_native.attention import attention, attention_gradient
from lamina_native.windows import are_known

__all__ = ["attend", "patched"]

Primitive = type(jax.lax.add_p)

_NAMES = {"query", "key", "value", "mask", "is_causal", "scale"}


def patched(former, may_call):
    """JAX's own function of attention on XLA, replaced by one that takes the kernels where they serve.

    Args:
        former: `_dot_product_attention_xla` of JAX.
        may_call: Function of the context of a lowering that says whether it may call kernels.
    """
    _register(may_call)
    signature = inspect.signature(former)
    if not _NAMES.issubset(signature.parameters):  # another version of JAX, which keeps its function
        return former

    @functools.wraps(former)
    def attend_or_former(*arguments, **named):
        given = signature.bind(*arguments, **named)
        given.apply_defaults()
        call = dict(given.arguments)
        q, k, v, scale = (call[name] for name in ("query", "key", "value", "scale"))
        lengths = call.get("q_seqlen"), call.get("kv_seqlen"), call.get("local_window_size"), call.get("bias")
        if any(one is not None for one in lengths) or call.get("return_residual") or not _serves(q, k, v, scale):
            return former(*arguments, **named)
        masks = [] if call["mask"] is None else [call["mask"]]
        if call["is_causal"]:
            masks.append(jnp.tril(jnp.ones((1, 1, q.shape[1], k.shape[1]), bool)))
        return attend(q, k, v, functools.reduce(jnp.logical_and, masks) if masks else None, float(scale))

    return attend_or_former


def _serves(q, k, v, scale):
    sizes = *q.shape, *k.shape, *v.shape
    return (
        are_known(sizes)
        and min(sizes) > 0
        and q.dtype == k.dtype == v.dtype == jnp.float32
        and q.shape[2] == k.shape[2] == v.shape[2]
        and not isinstance(scale, jax.core.Tracer)
    )


def attend(q, k, v, mask, scale):
    """`softmax(q . k * scale) . v`, with the shapes of `lamina_native.attention`."""
    return _attend.bind(q, k, v, *([] if mask is None else [mask]), scale=scale)[0]


def _formula(q, k, v, *mask, scale):
    """The result, and the largest score of each query beside one over the sum of the powers of the others less it."""
    scores = jnp.einsum("btnh,bsnh->bnts", q, k) * scale
    for seen in mask:
        scores = jnp.where(seen, scores, -0.7 * jnp.finfo(scores.dtype).max)
    largest = jax.lax.stop_gradient(scores.max(-1, keepdims=True))
    powers = jnp.exp(scores - largest)
    part = 1 / powers.sum(-1, keepdims=True)
    y = jnp.einsum("bnts,bsnh->btnh", powers * part, v)
    return [y, jnp.concatenate([largest, part], -1)]


def _of_formula(q, k, v, mask, scale):
    return lambda q, k, v: _formula(q, k, v, *mask, scale=scale)[0]


def _push(q, k, v, y, saved, *rest, scale):
    """The change of y for those of q, k and v, which are the last three."""
    *mask, dq, dk, dv = rest
    return [jax.jvp(_of_formula(q, k, v, mask, scale), (q, k, v), (dq, dk, dv))[1]]


def _pull(q, k, v, y, saved, dy, *mask, scale):
    return list(jax.vjp(_of_formula(q, k, v, mask, scale), q, k, v)[1](dy))


def _kernel(q, k, v, *mask, scale):
    return list(attention(q, k, v, scale=scale, mask=mask[0] if mask else None))


def _pull_kernel(q, k, v, y, saved, dy, *mask, scale):
    return list(attention_gradient(q, k, v, y, saved, dy, scale=scale, mask=mask[0] if mask else None))


def _batch(primitive):
    """The rule of vmap: the new axis becomes part of the batch."""

    def rule(arrays, axes, **settings):
        count = next(array.shape[axis] for array, axis in zip(arrays, axes, strict=True) if axis is not None)
        size = arrays[0].shape[0 if axes[0] is None else int(axes[0] == 0)]

        def folded(array, axis):
            if axis is None and array.shape[0] == 1 != size:
                return array  # a mask for all samples
            array = jnp.broadcast_to(array, (count, *array.shape)) if axis is None else jnp.moveaxis(array, axis, 0)
            if array.shape[1] == 1 != size:
                array = jnp.broadcast_to(array, (count, size, *array.shape[2:]))
            return array.reshape(-1, *array.shape[2:])

        results = primitive.bind(*map(folded, arrays, axes), **settings)
        return [result.reshape(count, size, *result.shape[1:]) for result in results], [0] * len(results)

    return rule


def _define(name, formula):
    primitive = Primitive(f"lamina_{name}")
    primitive.multiple_results = True
    primitive.def_impl(jax.jit(primitive.bind, static_argnames="scale"))
    primitive.def_abstract_eval(
        lambda *arrays, **settings: [
            jax.core.ShapedArray(result.shape, result.dtype)
            for result in jax.eval_shape(functools.partial(formula, **settings), *map(_shape_of, arrays))
        ]
    )
    mlir.register_lowering(primitive, mlir.lower_fun(formula))
    batching.primitive_batchers[primitive] = _batch(primitive)
    return primitive


def _shape_of(aval):
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype)


_attend = _define("attention", _formula)
_push_on = _define("attention_tangent", _push)
_pull_back = _define("attention_gradient", _pull)


def _attend_jvp(arrays, tangents, scale):
    q, k, v, *mask = arrays
    y, saved = _attend.bind(*arrays, scale=scale)
    changes = [ad.instantiate_zeros(tangent) for tangent in tangents[:3]]
    (dy,) = _push_on.bind(q, k, v, y, saved, *mask, *changes, scale=scale)
    return [y, saved], [dy, jnp.zeros_like(saved)]  # what is saved only saves work: derivatives do not look at it


def _push_transpose(cotangents, q, k, v, y, saved, *rest, scale):
    mask = rest[:-3]
    dy = ad.instantiate_zeros(cotangents[0])
    pulled = _pull_back.bind(q, k, v, y, saved, dy, *mask, scale=scale)
    return [None] * (5 + len(mask)) + [
        gradient if ad.is_undefined_primal(change) else None for gradient, change in zip(pulled, rest[-3:], strict=True)
    ]


def _by_formula(primitive, formula):
    """The rule of derivatives of a derivative: its value by the primitive, its change by the formula."""

    def rule(arrays, tangents, **settings):
        known = [index for index, tangent in enumerate(tangents) if type(tangent) is not ad.Zero]

        def of_known(*some):
            whole = list(arrays)
            for index, array in zip(known, some, strict=True):
                whole[index] = array
            return formula(*whole, **settings)

        _, changes = jax.jvp(of_known, [arrays[i] for i in known], [tangents[i] for i in known])
        return primitive.bind(*arrays, **settings), changes

    return rule


ad.primitive_jvps[_attend] = _attend_jvp
ad.primitive_jvps[_push_on] = _by_formula(_push_on, _push)
ad.primitive_jvps[_pull_back] = _by_formula(_pull_back, _pull)
ad.primitive_transposes[_push_on] = _push_transpose


def _register(may_call):
    for primitive, formula, kernel in ((_attend, _formula, _kernel), (_pull_back, _pull, _pull_kernel)):

        def rule(ctx, *values, formula=formula, kernel=kernel, **settings):
            return mlir.lower_fun(kernel if may_call(ctx) else formula)(ctx, *values, **settings)

        mlir.register_lowering(primitive, rule, platform="cpu")
