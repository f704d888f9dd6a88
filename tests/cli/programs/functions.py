"""tf.function: what it traces, its statements on tensors, and its state."""

import sys
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
    except Exception:
        print(n, "ERR")


log = []


@tf.function
def f(x, y=2):
    log.append("traced")
    return x * y


show(
    "f",
    [
        f(tf.constant(1.0)),
        f(tf.constant(2.0)),
        f(tf.constant([1.0, 2.0])),
        f(tf.constant(1.0), 3),
        f(x=tf.constant(1.0), y=3),
        f(tf.constant(1)),
    ],
)
print(len(log))
v = tf.Variable(1.0)


@tf.function
def inc(d):
    v.assign_add(d)
    v.assign(v * 2.0)
    return v.read_value()


show("inc", [inc(tf.constant(1.0)), inc(tf.constant(1.0)), v])


class Count(tf.Module):
    def __init__(self):
        super().__init__()
        self.n = None

    @tf.function
    def __call__(self):
        if self.n is None:
            self.n = tf.Variable(0)
        return self.n.assign_add(1)


c = Count()
show("count", [c(), c(), c.n, len(c.variables)])
d = Count()
show("count2", [d(), c()])


@tf.function
def bad():
    w = tf.Variable(1.0)
    return w * 2.0


err("bad", bad)


@tf.function
def early(x):
    if tf.reduce_sum(x) > 0:
        return x * 2.0
    else:
        return -x


show("early", [early(tf.constant([1.0, 2.0])), early(tf.constant([-1.0, -1.5])), early(tf.constant([-10.0, 0.0]))])


@tf.function
def tern(x):
    return x if x > 0 else -x


show("tern", [tern(tf.constant(3.0)), tern(tf.constant(-3.0))])


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
def sig(x):
    return tf.reduce_sum(x)


show("sig", [sig(tf.constant([1.0, 2.0])), sig(tf.constant([1.0, 2.0, 3.0]))])
err("sigbad", lambda: sig(tf.constant([[1.0]])))
err("sigbad2", lambda: sig(tf.constant([1, 2])))
cf = f.get_concrete_function(tf.TensorSpec([], tf.float32), 5)
show("concrete", cf(tf.constant(2.0)))
err("concretebad", lambda: cf(tf.constant("a")))


@tf.function
def rows(x):
    t = tf.zeros([2])
    for r in x:
        t = t + r
    return t


show("rows", rows(tf.constant([[1.0, 2.0], [3.0, 4.0]])))


@tf.function
def dyn(n):
    a = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    for i in tf.range(n):
        a = a.write(i, i * i)
    return a.stack()


show("dyn", dyn(tf.constant(4)))
w = tf.Variable(2.0)


@tf.function
def vloop(n):
    for i in tf.range(n):
        w.assign_add(1.0)
        if i > 2:
            w.assign(0.0)
    return w + 0.0


show("vloop", [vloop(tf.constant(2)), vloop(tf.constant(4)), w])
with tf.GradientTape() as t:
    z = f(w) + inc(w) * 3.0
show("gradthrough", t.gradient(z, w))


@tf.function
def whilev(x):
    i = 0
    while tf.reduce_sum(x) < 100.0:
        x = x * 2.0
        i += 1
    return (x, i)


show("while", whilev(tf.constant([1.0, 2.0])))


def helper(x):
    if x > 0:
        return tf.constant("pos") if False else x
    else:
        return x * 0.0


@tf.function
def uses(x):
    return helper(x) + 1.0


show("helper", [uses(tf.constant(2.0)), uses(tf.constant(-2.0))])


@tf.function
def prints(x):
    print("tracing")
    tf.print("run", x, [1, 2], tf.constant([1.0, 2.5]), output_stream=sys.stdout)
    return x


prints(tf.constant(1.0))
prints(tf.constant(2.0))
sys.stdout.flush()
show("cond", tf.cond(tf.constant(True), lambda: tf.constant(1.0), lambda: tf.constant(2.0)))
show("wl", tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2.0), [tf.constant(0), tf.constant(1.0)]))


@tf.function
def sw(i):
    return (
        tf.switch_case(i, {0: lambda: 10.0, 1: lambda: 20.0}, default=lambda: -1.0),
        tf.case([(i > 5, lambda: 1), (i > 0, lambda: 2)], default=lambda: 3),
    )


show("sw", [sw(tf.constant(0)), sw(tf.constant(1)), sw(tf.constant(7))])


@tf.function
def asrt(x):
    tf.debugging.assert_positive(x)
    return x


show("assert", asrt(tf.constant(1.0)))
err("assertbad", lambda: np.asarray(asrt(tf.constant(-1.0))))


@tf.function
def npf(x):
    return tf.numpy_function(lambda a: np.sin(a), [x], tf.float32)


show("npf", npf(tf.constant(1.0)))


@tf.function
def pyf(x):
    return tf.py_function(func=lambda a: a.numpy() + 1, inp=[x], Tout=tf.float32)


show("pyf", pyf(tf.constant(1.0)))


@tf.function
def nested(d):
    return {"a": d["a"] * 2.0, "b": (d["b"][0], None, 3)}


show("nested", nested({"a": tf.constant(1.0), "b": [tf.constant(2.0), 5]}))
err("undef", lambda: (lambda g: g(tf.constant(1.0)))(tf.function(lambda x: x)))


@tf.function
def und(x):
    if x > 0:
        q = x
    return q


err("und", lambda: und(tf.constant(1.0)))


@tf.function
def lst(x):
    l = []
    for i in range(3):
        l.append(x * i)
    return tf.stack(l)


show("lst", lst(tf.constant(2)))


@tf.function
def norm(x):
    assert x.shape[0] == 2, "no"
    a, b = tf.unstack(x)
    return a if a > b and (not b > 5) else b


show("norm", norm(tf.constant([1, 2])))


@tf.function
def rnd():
    return tf.random.uniform([])


print("rnd", float(rnd()) != float(rnd()))


class M(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(3.0)
        self.__p = 2.0

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def go(self, x):
        return self.w * x * self.__p


mm = M()
show("meth", mm.go(tf.constant(2.0)))
show("exec", [tf.executing_eagerly(), tf.function(lambda: tf.executing_eagerly())()])
print(f.python_function.__name__, f.__name__)


@tf.function
def recur_args(a, *args, k=1, **kw):
    return a + sum(args) + k + kw.get("z", 0)


show("star", recur_args(tf.constant(1), 2, 3, k=4, z=tf.constant(5)))


@tf.function
def dsloop(x):
    s = x
    for a in tf.data.Dataset.range(4):
        s += tf.cast(a, tf.float32)
    return s


show("ds", dsloop(tf.constant(0.0)))
