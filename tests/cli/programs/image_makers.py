"""Loops that make images: adversarial networks, a variational autoencoder, and gradients of pixels."""

import tempfile
import warnings

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)

warnings.simplefilter("ignore")  # what runs op by op, and old spellings

rng = np.random.default_rng(0)


def dcgan():
    L = tf.keras.layers

    def gen():
        m = tf.keras.Sequential()
        m.add(L.Dense(4 * 4 * 8, use_bias=False, input_shape=(10,)))
        m.add(L.BatchNormalization())
        m.add(L.LeakyReLU())
        m.add(L.Reshape((4, 4, 8)))
        assert m.output_shape == (None, 4, 4, 8)
        m.add(L.Conv2DTranspose(1, (5, 5), strides=(2, 2), padding="same", use_bias=False, activation="tanh"))
        return m

    def dis():
        m = tf.keras.Sequential()
        m.add(L.Conv2D(4, (5, 5), strides=(2, 2), padding="same", input_shape=[8, 8, 1]))
        m.add(L.LeakyReLU())
        m.add(L.Dropout(0.3))
        m.add(L.Flatten())
        m.add(L.Dense(1))
        return m

    G, D = (gen(), dis())
    bce = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    go, do = (tf.keras.optimizers.Adam(0.001), tf.keras.optimizers.Adam(0.001))
    ck = tf.train.Checkpoint(generator_optimizer=go, discriminator_optimizer=do, generator=G, discriminator=D)
    dl = lambda r, f: bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
    gl = lambda f: bce(tf.ones_like(f), f)

    @tf.function
    def step(images):
        noise = tf.random.normal([8, 10])
        with tf.GradientTape() as gt, tf.GradientTape() as dt:
            fake = G(noise, training=True)
            ro = D(images, training=True)
            fo = D(fake, training=True)
            a = gl(fo)
            b = dl(ro, fo)
        go.apply_gradients(zip(gt.gradient(a, G.trainable_variables), G.trainable_variables))
        do.apply_gradients(zip(dt.gradient(b, D.trainable_variables), D.trainable_variables))
        return b

    x = tf.constant(rng.uniform(-1, 1, (8, 8, 8, 1)).astype("float32"))
    ls = [float(step(x)) for _ in range(20)]
    folder = tempfile.mkdtemp()
    p = ck.save(folder + "/ck")
    ck.restore(tf.train.latest_checkpoint(folder)).assert_consumed()
    return (bool(np.isfinite(ls).all()), int(go.iterations), p[-5:])


def cvae():

    class V(tf.keras.Model):
        def __init__(self, k):
            super().__init__()
            self.k = k
            self.enc = tf.keras.Sequential(
                [
                    tf.keras.layers.InputLayer(input_shape=(8, 8, 1)),
                    tf.keras.layers.Conv2D(4, 3, 2, activation="relu"),
                    tf.keras.layers.Flatten(),
                    tf.keras.layers.Dense(k + k),
                ]
            )
            self.dec = tf.keras.Sequential(
                [
                    tf.keras.layers.InputLayer(input_shape=(k,)),
                    tf.keras.layers.Dense(4 * 4 * 4, activation=tf.nn.relu),
                    tf.keras.layers.Reshape(target_shape=(4, 4, 4)),
                    tf.keras.layers.Conv2DTranspose(1, 3, 2, padding="same"),
                ]
            )

        @tf.function
        def sample(self, eps=None):
            if eps is None:
                eps = tf.random.normal(shape=(10, self.k))
            return self.decode(eps, apply_sigmoid=True)

        def encode(self, x):
            return tf.split(self.enc(x), num_or_size_splits=2, axis=1)

        def rep(self, mean, logvar):
            return tf.random.normal(shape=mean.shape) * tf.exp(logvar * 0.5) + mean

        def decode(self, z, apply_sigmoid=False):
            lg = self.dec(z)
            if apply_sigmoid:
                return tf.sigmoid(lg)
            return lg

    def lnp(s, mean, logvar, raxis=1):
        l2 = tf.math.log(2.0 * np.pi)
        return tf.reduce_sum(-0.5 * ((s - mean) ** 2.0 * tf.exp(-logvar) + logvar + l2), axis=raxis)

    def loss(m, x):
        mean, lv = m.encode(x)
        z = m.rep(mean, lv)
        xl = m.decode(z)
        ce = tf.nn.sigmoid_cross_entropy_with_logits(logits=xl, labels=x)
        return -tf.reduce_mean(-tf.reduce_sum(ce, axis=[1, 2, 3]) + lnp(z, 0.0, 0.0) - lnp(z, mean, lv))

    m = V(2)
    op = tf.keras.optimizers.Adam(0.01)

    @tf.function
    def step(m, x, op):
        with tf.GradientTape() as t:
            l = loss(m, x)
        op.apply_gradients(zip(t.gradient(l, m.trainable_variables), m.trainable_variables))
        return l

    x = (rng.uniform(size=(16, 8, 8, 1)) > 0.5).astype("float32")
    ls = [float(step(m, x, op)) for _ in range(25)]
    return (ls[-1] < ls[0], m.sample(tf.zeros((3, 2))).shape, m.sample().shape)


def pix2pix():

    def down(f, n):
        return tf.keras.Sequential(
            [
                tf.keras.layers.Conv2D(
                    f,
                    n,
                    strides=2,
                    padding="same",
                    kernel_initializer=tf.random_normal_initializer(0.0, 0.02),
                    use_bias=False,
                ),
                tf.keras.layers.BatchNormalization(),
                tf.keras.layers.LeakyReLU(),
            ]
        )

    def up(f, n):
        return tf.keras.Sequential(
            [
                tf.keras.layers.Conv2DTranspose(f, n, strides=2, padding="same", use_bias=False),
                tf.keras.layers.Dropout(0.5),
                tf.keras.layers.ReLU(),
            ]
        )

    i = tf.keras.layers.Input(shape=[8, 8, 3])
    x = i
    sk = []
    for d in (down(4, 4), down(8, 4)):
        x = d(x)
        sk.append(x)
    x = tf.keras.layers.Concatenate()([up(4, 4)(x), sk[0]])
    G = tf.keras.Model(
        inputs=i, outputs=tf.keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x)
    )
    a, b = rng.uniform(-1, 1, (2, 1, 8, 8, 3)).astype("float32")
    op = tf.keras.optimizers.Adam(0.002, beta_1=0.5)

    @tf.function
    def step(a, b, s):
        with tf.GradientTape() as t:
            l = tf.reduce_mean(tf.abs(b - G(a, training=True)))
        op.apply_gradients(zip(t.gradient(l, G.trainable_variables), G.trainable_variables))
        return l

    ls = []
    for s, (x, y) in tf.data.Dataset.from_tensor_slices((a, b)).batch(1).repeat().take(12).enumerate():
        ls.append(step(x, y, s))
    return float(ls[-1]) < float(ls[0])


def deepdream():
    base = tf.keras.Sequential(
        [
            tf.keras.Input((None, None, 3)),
            tf.keras.layers.Conv2D(4, 3, name="a"),
            tf.keras.layers.Conv2D(4, 3, name="b"),
        ]
    )
    dm = tf.keras.Model(inputs=base.inputs, outputs=[base.get_layer(n).output for n in ("a", "b")])

    def calc(img, model):
        acts = model(tf.expand_dims(img, axis=0))
        acts = [acts] if len(acts) == 1 else acts
        return tf.reduce_sum([tf.math.reduce_mean(a) for a in acts])

    class DD(tf.Module):
        def __init__(self, model):
            self.model = model

        @tf.function(
            input_signature=(
                tf.TensorSpec(shape=[None, None, 3], dtype=tf.float32),
                tf.TensorSpec(shape=[], dtype=tf.int32),
                tf.TensorSpec(shape=[], dtype=tf.float32),
            )
        )
        def __call__(self, img, steps, step_size):
            print("tracing")
            loss = tf.constant(0.0)
            for n in tf.range(steps):
                with tf.GradientTape() as tape:
                    tape.watch(img)
                    loss = calc(img, self.model)
                g = tape.gradient(loss, img)
                g /= tf.math.reduce_std(g) + 1e-08
                img = img + g * step_size
                img = tf.clip_by_value(img, -1, 1)
            return (loss, img)

    d = DD(dm)
    img = tf.constant(rng.uniform(-0.5, 0.5, (12, 12, 3)).astype("float32"))
    l0, i1 = d(img, tf.constant(5), tf.constant(0.01))
    l1, _ = d(i1, tf.constant(20), tf.constant(0.01))
    return float(l1) > float(l0)


def style():
    net = tf.keras.Sequential(
        [tf.keras.Input((8, 8, 3)), tf.keras.layers.Conv2D(4, 3, name="s"), tf.keras.layers.Conv2D(4, 3, name="c")]
    )
    net.trainable = False
    ext = tf.keras.Model(net.inputs, [net.get_layer(n).output for n in ("s", "c")])

    def gram(t):
        r = tf.linalg.einsum("bijc,bijd->bcd", t, t)
        s = tf.shape(t)
        return r / tf.cast(s[1] * s[2], tf.float32)

    c, s = [tf.constant(rng.uniform(size=(1, 8, 8, 3)).astype("float32")) for _ in "12"]
    ct = ext(c)[1]
    st = gram(ext(s)[0])
    image = tf.Variable(c)
    op = tf.keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=0.1)

    @tf.function()
    def step(image):
        with tf.GradientTape() as t:
            so, co = ext(image)
            loss = tf.add_n([tf.reduce_mean((gram(so) - st) ** 2)]) * 10 + tf.reduce_mean((co - ct) ** 2)
        g = t.gradient(loss, image)
        op.apply_gradients([(g, image)])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))
        return loss

    ls = [float(step(image)) for _ in range(15)]
    return ls[-1] < ls[0]


def integrated():
    m = tf.keras.Sequential([tf.keras.Input((6, 6, 3)), tf.keras.layers.Flatten(), tf.keras.layers.Dense(4)])
    base = tf.zeros((6, 6, 3))
    im = tf.constant(rng.uniform(size=(6, 6, 3)).astype("float32"))
    al = tf.linspace(start=0.0, stop=1.0, num=11)

    def interp(b, i, a):
        a = a[:, tf.newaxis, tf.newaxis, tf.newaxis]
        b = tf.expand_dims(b, 0)
        return b + a * (tf.expand_dims(i, 0) - b)

    def cg(images, k):
        with tf.GradientTape() as t:
            t.watch(images)
            pr = tf.nn.softmax(m(images), axis=-1)[:, k]
        return t.gradient(pr, images)

    @tf.function
    def batch(b, i, a, k):
        return cg(interp(b, i, a), k)

    gb = []
    for a in tf.range(0, len(al), 4):
        f = a
        to = tf.minimum(f + 4, len(al))
        gb.append(batch(base, im, al[f:to], 1))
    g = tf.concat(gb, axis=0)
    g = (g[:-1] + g[1:]) / tf.constant(2.0)
    ig = (im - base) * tf.math.reduce_mean(g, axis=0)
    d = tf.nn.softmax(m(im[None]))[0, 1] - tf.nn.softmax(m(base[None]))[0, 1]
    return abs(float(tf.reduce_sum(ig) - d)) < 0.01


def fgsm():
    m = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3, activation="softmax")])
    lo = tf.keras.losses.CategoricalCrossentropy()
    x = tf.constant(rng.normal(size=(1, 4)).astype("float32"))
    lab = tf.reshape(tf.one_hot(1, 3), (1, 3))
    with tf.GradientTape() as t:
        t.watch(x)
        l = lo(lab, m(x))
    p = tf.sign(t.gradient(l, x))
    return (float(lo(lab, m(x + 0.1 * p))) > float(l), p.numpy().shape)


for program in (dcgan, cvae, pix2pix, deepdream, style, integrated, fgsm):
    print(program.__name__, program())
