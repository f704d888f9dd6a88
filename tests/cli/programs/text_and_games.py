"""Loops over tokens and over the steps of a game."""

import warnings

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)

warnings.simplefilter("ignore")  # what runs op by op, and old spellings

rng = np.random.default_rng(0)


def actor_critic():

    class AC(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.c = tf.keras.layers.Dense(8, activation="relu")
            self.a = tf.keras.layers.Dense(2)
            self.v = tf.keras.layers.Dense(1)

        def call(self, inputs):
            x = self.c(inputs)
            return (self.a(x), self.v(x))

    model = AC()
    op = tf.keras.optimizers.Adam(0.01)
    huber = tf.keras.losses.Huber(reduction="sum")
    n = [0]

    @tf.numpy_function(Tout=[tf.float32, tf.int32, tf.int32])
    def env_step(action):
        n[0] += 1
        return (np.ones(4, np.float32) * n[0], np.array(1, np.int32), np.array(n[0] % 7 == 0, np.int32))

    def run(s, model, mx):
        ap = tf.TensorArray(dtype=tf.float32, size=0, dynamic_size=True)
        va = tf.TensorArray(dtype=tf.float32, size=0, dynamic_size=True)
        rw = tf.TensorArray(dtype=tf.int32, size=0, dynamic_size=True)
        sh = s.shape
        st = s
        for t in tf.range(mx):
            st = tf.expand_dims(st, 0)
            lg, v = model(st)
            ac = tf.random.categorical(lg, 1)[0, 0]
            pr = tf.nn.softmax(lg)
            va = va.write(t, tf.squeeze(v))
            ap = ap.write(t, pr[0, ac])
            st, r, done = env_step(ac)
            st.set_shape(sh)
            rw = rw.write(t, r)
            if tf.cast(done, tf.bool):
                break
        return (ap.stack(), va.stack(), rw.stack())

    def ret(rw, gamma):
        n = tf.shape(rw)[0]
        re = tf.TensorArray(dtype=tf.float32, size=n)
        rw = tf.cast(rw[::-1], dtype=tf.float32)
        ds = tf.constant(0.0)
        dss = ds.shape
        for i in tf.range(n):
            r = rw[i]
            ds = r + gamma * ds
            ds.set_shape(dss)
            re = re.write(i, ds)
        re = re.stack()[::-1]
        return (re - tf.math.reduce_mean(re)) / (tf.math.reduce_std(re) + 1e-06)

    @tf.function
    def step(s, mx):
        with tf.GradientTape() as tape:
            ap, va, rw = run(s, model, mx)
            re = ret(rw, 0.99)
            ap, va, re = [tf.expand_dims(x, 1) for x in [ap, va, re]]
            loss = -tf.math.reduce_sum(tf.math.log(ap) * (re - va)) + huber(va, re)
        g = tape.gradient(loss, model.trainable_variables)
        op.apply_gradients(zip(g, model.trainable_variables))
        return tf.math.reduce_sum(rw)

    return [int(step(tf.constant([1.0, 0.0, 0.0, 0.0]), 20)) for _ in range(2)]


def textgen():

    class M(tf.keras.Model):
        def __init__(self, v):
            super().__init__()
            self.e = tf.keras.layers.Embedding(v, 4)
            self.g = tf.keras.layers.GRU(6, return_sequences=True, return_state=True)
            self.d = tf.keras.layers.Dense(v)

        def call(self, inputs, states=None, return_state=False, training=False):
            x = self.e(inputs, training=training)
            if states is None:
                states = self.g.get_initial_state(tf.shape(x)[0])
            x, states = self.g(x, initial_state=states, training=training)
            x = self.d(x, training=training)
            if return_state:
                return (x, states)
            return x

    m = M(5)
    m.compile(optimizer="adam", loss=tf.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = rng.integers(0, 5, (8, 6))
    m.fit(x, x, verbose=0)

    class One(tf.keras.Model):
        def __init__(self, model):
            super().__init__()
            self.model = model
            self.mask = tf.constant([-np.inf, 0, 0, 0, 0], tf.float32)

        @tf.function
        def one(self, i, states=None):
            p, states = self.model(inputs=i, states=states, return_state=True)
            p = p[:, -1, :] + self.mask
            i = tf.random.categorical(p, num_samples=1)
            return (tf.squeeze(i, axis=-1)[:, None], states)

    o = One(m)
    i, st = (tf.constant([[1, 2]]), None)
    out = []
    for _ in range(5):
        i, st = o.one(i, states=st)
        out.append(int(i[0, 0]))
    return (len(out), min(out) > 0)


def translator():

    class Tr(tf.Module):
        def __init__(self):
            self.w = tf.Variable(tf.eye(6))

        def __call__(self, s, max_length=5):
            oa = tf.TensorArray(dtype=tf.int64, size=0, dynamic_size=True)
            oa = oa.write(0, tf.constant([1], tf.int64))
            for i in tf.range(max_length):
                out = tf.transpose(oa.stack())
                pred = tf.argmax(tf.one_hot((out + 1) % 6, 6) @ self.w, axis=-1)[:, -1:]
                oa = oa.write(i + 1, pred[0])
                if pred == 4:
                    break
            return tf.transpose(oa.stack())

    class Ex(tf.Module):
        def __init__(self, t):
            self.t = t

        @tf.function(input_signature=[tf.TensorSpec(shape=[], dtype=tf.int32)])
        def __call__(self, s):
            return self.t(s, max_length=10)

    return Ex(Tr())(tf.constant(1)).numpy().tolist()


def word2vec():

    class W(tf.keras.Model):
        def __init__(self, v, d):
            super().__init__()
            self.t = tf.keras.layers.Embedding(v, d)
            self.c = tf.keras.layers.Embedding(v, d)

        def call(self, pair):
            t, c = pair
            if len(t.shape) == 2:
                t = tf.squeeze(t, axis=1)
            return tf.einsum("be,bce->bc", self.t(t), self.c(c))

    m = W(10, 4)
    m.compile(optimizer="adam", loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    ds = tf.data.Dataset.from_tensor_slices(
        ((rng.integers(0, 10, (32, 1)), rng.integers(0, 10, (32, 5))), np.tile([1, 0, 0, 0, 0], (32, 1)))
    ).batch(8)
    h = m.fit(ds, epochs=3, verbose=0)
    return h.history["loss"][-1] < h.history["loss"][0]


for program in (actor_critic, textgen, translator, word2vec):
    print(program.__name__, program())
