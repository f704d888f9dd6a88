"""Tapes: sources of all kinds, Jacobians, custom gradients, forward accumulation."""

import warnings

import numpy as np
import tensorflow as tf

warnings.simplefilter("ignore")  # what runs op by op, and old spellings


def show(n, v):

    def s(v):
        if v is None:
            return "None"
        if isinstance(v, dict):
            return "{" + ", ".join((f"{k}: {s(x)}" for k, x in sorted(v.items()))) + "}"
        if isinstance(v, (list, tuple)):
            return "[" + ", ".join(map(s, v)) + "]"
        try:
            return str(np.round(np.asarray(v, "float64"), 4).tolist())
        except Exception:
            return repr(v)

    print(n, s(v))


def err(n, f):
    try:
        show(n, f())
    except RuntimeError:
        print(n, "RuntimeError")


def in_a_tape(f):
    with tf.GradientTape() as t:
        return f(t)


x = tf.Variable(tf.constant([1.0, 2.0]), name="x")
y = tf.Variable(3.0)
c = tf.constant(4.0)
z = tf.Variable(1.0, trainable=False)
i = tf.Variable(3)
with tf.GradientTape(persistent=True) as t:
    t.watch(c)
    a = tf.reduce_sum(x * x * y) + c**3
    b = tf.sin(y)
    k = {"p": a, "q": b}
show("dict", t.gradient(a, {"x": x, "n": [y, (c, z)]}))
show("multi", t.gradient(k, [x, y]))
show("outgrad", t.gradient([a, b], y, output_gradients=[tf.constant(2.0), tf.constant(3.0)]))
show("zero", t.gradient(b, [x, z], unconnected_gradients=tf.UnconnectedGradients.ZERO))
show("zeros", t.gradient(b, [x, z], unconnected_gradients="zero"))
show("none", t.gradient(b, [x, z, i, c]))
show("watched", [v.name for v in t.watched_variables()])
with tf.GradientTape(watch_accessed_variables=False) as t:
    t.watch(x)
    a = tf.reduce_sum(x) * y
show("wav", t.gradient(a, [x, y]))
with tf.GradientTape() as t:
    a = y * y
t.gradient(a, y)
err("twice", lambda: t.gradient(a, y))
with tf.GradientTape() as t:
    a = y * y
    with t.stop_recording():
        b = y * 5.0
    a = a + b
show("stop", t.gradient(a, y))
with tf.GradientTape() as t:
    a = y * y
    t.reset()
    b = y * 2.0
show("reset", t.gradient(b + 0.0 * 1, y))
x0 = tf.constant(1.0)
with tf.GradientTape() as t:
    t.watch(x0)
    a = x0 * 2
    x1 = x0 + 1
    t.reset()
    t.watch(x0)
    b = x0 * x0
show("reset2", t.gradient(b, x0))
xx = tf.constant([1.0, 2.0, 3.0])
with tf.GradientTape(persistent=True) as t:
    t.watch(xx)
    m = tf.stack([xx * 2, xx**2])
    n = tf.reduce_sum(xx[:2] * xx[1:])
show("jac", t.jacobian(m, xx))
show("idx", t.gradient(n, xx))
show("jacn", t.jacobian(m, {"a": xx, "b": y}))
W = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
inp = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
with tf.GradientTape(persistent=True) as t:
    t.watch(inp)
    o = tf.tanh(inp @ W)
show("bj", t.batch_jacobian(o, inp))
show("jw", t.jacobian(o, W))
with tf.GradientTape() as t2:
    with tf.GradientTape() as t1:
        r = tf.reduce_sum(W**3)
    g = t1.gradient(r, W)
show("hess", t2.jacobian(g, W))
v = tf.Variable(2.0)
with tf.GradientTape() as t:
    a = v * v
    v.assign_add(1.0)
    b = v * a
show("inplace", t.gradient(b, v))
v = tf.Variable(2.0)
with tf.GradientTape() as t:
    v.assign(y * 2)
    b = v * v
show("assign", t.gradient(b, [v, y]))


@tf.custom_gradient
def clip(x):

    def grad(u):
        return tf.clip_by_norm(u, 0.5)

    return (tf.identity(x), grad)


with tf.GradientTape() as t:
    b = clip(v * v)
show("cg", t.gradient(b, v))


@tf.custom_gradient
def lin(x, w):

    def grad(up):
        return (up * w * 10.0, up * x * 100.0)

    return (x * w, grad)


with tf.GradientTape() as t:
    b = lin(v, y)
show("cg2", t.gradient(b, [v, y]))
vv = tf.Variable(5.0)


@tf.custom_gradient
def withvars(x):

    def grad(up, variables=None):
        return (up * vv * 2.0, [up * x * 3.0 for _ in variables])

    return (x * vv, grad)


with tf.GradientTape() as t:
    b = withvars(v)
err("cgv", lambda: t.gradient(b, [v, vv]))
with tf.GradientTape() as t:
    b = tf.stop_gradient(v) * v
show("sg", t.gradient(b, v))


@tf.function
def gr(x):
    y = x**2
    return (tf.gradients(y, x), tf.gradients(ys=[y, x], xs=[x], grad_ys=[2.0, 3.0]))


err("tfgrad", lambda: gr(tf.constant(3.0)))
xs = tf.constant([[2.0, 3.0], [1.0, 4.0]])
dense_w = tf.Variable([[1.0], [2.0]])
try:
    with tf.autodiff.ForwardAccumulator(primals=dense_w, tangents=tf.constant([[1.0], [0.0]])) as acc:
        loss = tf.reduce_sum((xs @ dense_w - 1.0) ** 2)
    show("jvp", acc.jvp(loss))
    show("jvpn", acc.jvp(xs))
    with tf.autodiff.ForwardAccumulator([v, y], [tf.constant(1.0), tf.constant(2.0)]) as acc:
        l1 = v * y
        with tf.GradientTape() as t:
            l2 = v * v * y
        gg = t.gradient(l2, v)
    show("jvp2", acc.jvp([l1, gg]))
except Exception as e:
    print("jvp", type(e).__name__, e)
err("watchint", lambda: in_a_tape(lambda t: t.watch(tf.constant(3))))
with tf.GradientTape() as t:
    t.watch(xx)
    q = xx * tf.constant([0.0, 1.0, 2.0])
    q = tf.where(q > 1.0, q, tf.zeros_like(q))
show("where", t.gradient(q, xx))
emb = tf.Variable(np.arange(6.0).reshape(3, 2).astype("float32"))
with tf.GradientTape() as t:
    q = tf.nn.embedding_lookup(emb, [0, 2, 2])
    q = tf.reduce_sum(q**2)
g = t.gradient(q, emb)
show("emb", tf.convert_to_tensor(g))
with tf.GradientTape() as t:
    q = tf.gather(emb, [1, 1]) + 0.0
show("gather", tf.convert_to_tensor(t.gradient(q, emb)))
with tf.GradientTape() as t:
    s = 0.0
    for k in range(3):
        s += y * float(k)
    s = s / tf.cast(tf.shape(xx)[0], tf.float32)
show("loop", t.gradient(s, y))
with tf.GradientTape() as t:
    x2 = tf.cast(tf.cast(y, tf.int32), tf.float32) * y
show("cast", t.gradient(x2, y))
with tf.GradientTape() as t:
    t.watch(xx)
    a, b2 = tf.split(tf.concat([xx, xx * 2], 0), 2)
    l = tf.reduce_sum(a * b2) + tf.linalg.norm(xx)
show("split", t.gradient(l, xx))
show("src same", in_a_tape(lambda t: t.gradient(y, y)))
