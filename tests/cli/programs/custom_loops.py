"""Modules, custom training loops, a train step of one's own, and mixed precision."""

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)

rng = np.random.default_rng(0)


def linear_module():

    class Lin(tf.Module):
        def __init__(self, **kw):
            super().__init__(**kw)
            self.w = tf.Variable(5.0)
            self.b = tf.Variable(0.0)

        def __call__(self, x):
            return self.w * x + self.b

    m = Lin(name="lin")
    x = tf.linspace(-2.0, 2.0, 201)
    x = tf.cast(x, tf.float32)
    y = x * 3.0 + 2.0

    def train(m, x, y, lr):
        with tf.GradientTape() as t:
            loss = tf.reduce_mean(tf.square(y - m(x)))
        dw, db = t.gradient(loss, [m.w, m.b])
        m.w.assign_sub(lr * dw)
        m.b.assign_sub(lr * db)

    for _ in range(60):
        train(m, x, y, 0.1)
    return ([round(float(v), 3) for v in (m.w, m.b)], [v.name for v in m.variables], m.name)


def mlp_module():

    class Dense(tf.Module):
        def __init__(self, out, name=None):
            super().__init__(name=name)
            self.is_built = False
            self.out = out

        @tf.Module.with_name_scope
        def __call__(self, x):
            if not self.is_built:
                self.w = tf.Variable(tf.random.normal([x.shape[-1], self.out]), name="w")
                self.b = tf.Variable(tf.zeros([self.out]), name="b")
                self.is_built = True
            return tf.nn.relu(x @ self.w + self.b)

    class Seq(tf.Module):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.d1 = Dense(3)
            self.d2 = Dense(2)

        @tf.function
        def __call__(self, x):
            return self.d2(self.d1(x))

    s = Seq(name="s")
    o = s(tf.constant([[2.0, 2.0, 2.0]]))
    o2 = s(tf.constant([[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]]))
    return (o.shape, o2.shape, len(s.variables), len(s.submodules), len(s.trainable_variables), s.d1.w.name)


def experts():
    x = rng.normal(size=(96, 8, 8)).astype("float32")
    y = (x.mean((1, 2)) > 0).astype("int64")
    x = x[..., tf.newaxis]
    ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).batch(32)

    class M(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.c = tf.keras.layers.Conv2D(4, 3, activation="relu")
            self.f = tf.keras.layers.Flatten()
            self.d = tf.keras.layers.Dense(2)

        def call(self, x):
            return self.d(self.f(self.c(x)))

    m = M()
    lo = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    op = tf.keras.optimizers.Adam(0.01)
    tl = tf.keras.metrics.Mean(name="tl")
    ta = tf.keras.metrics.SparseCategoricalAccuracy(name="ta")

    @tf.function
    def step(i, l):
        with tf.GradientTape() as t:
            p = m(i, training=True)
            loss = lo(l, p)
        g = t.gradient(loss, m.trainable_variables)
        op.apply_gradients(zip(g, m.trainable_variables))
        tl(loss)
        ta(l, p)

    losses = []
    for e in range(8):
        tl.reset_state()
        ta.reset_state()
        for i, l in ds:
            step(i, l)
        losses.append(tl.result().numpy())
    return (
        bool(losses[-1] < losses[0] * 0.7),
        float(ta.result()) > 0.8,
        step.experimental_get_tracing_count(),
    )


def train_step_model():

    class C(tf.keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as t:
                p = self(x, training=True)
                l = self.compute_loss(y=y, y_pred=p)
            g = t.gradient(l, self.trainable_variables)
            self.optimizer.apply_gradients(zip(g, self.trainable_variables))
            for m in self.metrics:
                if m.name == "loss":
                    m.update_state(l)
                else:
                    m.update_state(y, p)
            return {m.name: m.result() for m in self.metrics}

    i = tf.keras.Input((3,))
    m = C(i, tf.keras.layers.Dense(1)(i))
    m.compile(optimizer="adam", loss="mse", metrics=["mae"])
    h = m.fit(rng.normal(size=(64, 3)), rng.normal(size=(64, 1)), epochs=3, verbose=0)
    return (h.history["loss"][-1] < h.history["loss"][0], sorted(h.history))


def mixed():
    p = tf.keras.mixed_precision.Policy("mixed_float16")
    tf.keras.mixed_precision.set_global_policy(p)
    try:
        m = tf.keras.Sequential(
            [tf.keras.Input((4,)), tf.keras.layers.Dense(4), tf.keras.layers.Dense(1, dtype="float32")]
        )
        op = tf.keras.mixed_precision.LossScaleOptimizer(tf.keras.optimizers.SGD(0.01))
        x = rng.normal(size=(8, 4)).astype("float32")

        @tf.function
        def step(x):
            with tf.GradientTape() as t:
                l = tf.reduce_mean(m(x) ** 2)
                sl = op.scale_loss(l)
            op.apply_gradients(zip(t.gradient(sl, m.trainable_variables), m.trainable_variables))
            return l

        ls = [float(step(x)) for _ in range(5)]
        return ls[-1] < ls[0]
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")


for program in (linear_module, mlp_module, experts, train_step_model, mixed):
    print(program.__name__, program())
