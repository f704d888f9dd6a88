"""Two networks against each other: a GAN

The generator makes pictures from noise; the discriminator tells them from real ones; each is trained against the
other (Goodfellow et al., 2014). The program shows a training step that is your own: `train_step` with the gradients
of two losses.
"""

import jax
import numpy as np

import lamina as keras
from lamina import layers, ops

(x_train, y_train), _ = keras.datasets.digits.load_data()
real = (x_train[y_train == 3].reshape(-1, 64) / 8 - 1).astype("float32")

keras.utils.set_random_seed(0)
generator = keras.Sequential(
    [keras.Input((16,)), layers.Dense(64), layers.LeakyReLU(0.2), layers.Dense(64, activation="tanh")]
)
discriminator = keras.Sequential([keras.Input((64,)), layers.Dense(64), layers.LeakyReLU(0.2), layers.Dense(1)])
entropy = keras.losses.BinaryCrossentropy(from_logits=True)


def judge(weights, pictures):
    """The discriminator with these weights."""
    return discriminator.stateless_call(weights, [], pictures)[0]


def discriminator_loss(weights, pictures, made):
    """It should answer 1 for real pictures and 0 for made ones."""
    answers_real, answers_made = judge(weights, pictures), judge(weights, made)
    return entropy(0.9 * ops.ones_like(answers_real), answers_real) + entropy(
        ops.zeros_like(answers_made), answers_made
    )


def generator_loss(weights, judge_weights, noise):
    """It wants the answer 1 for what it makes."""
    answers = judge(judge_weights, generator.stateless_call(weights, [], noise)[0])
    return entropy(ops.ones_like(answers), answers)


# %%
# Gradients are those of JAX, for functions of the weights; optimizers of lamina take them in the same style.

optimizers = [keras.optimizers.Adam(0.001, beta_1=0.5) for _ in range(2)]
for optimizer, model in zip(optimizers, (generator, discriminator), strict=True):
    optimizer.build(model.trainable_variables)


@jax.jit
def step(state, pictures, noise):
    """One step of both networks; the state is (weights, slots) of each."""
    (g, g_slots), (d, d_slots) = state
    made = generator.stateless_call(g, [], noise)[0]
    d_loss, d_gradients = jax.value_and_grad(discriminator_loss)(d, pictures, made)
    d, d_slots = optimizers[1].stateless_apply(d_slots, d_gradients, d)
    g_loss, g_gradients = jax.value_and_grad(generator_loss)(g, d, noise)
    g, g_slots = optimizers[0].stateless_apply(g_slots, g_gradients, g)
    return ((g, g_slots), (d, d_slots)), (g_loss, d_loss)


state = tuple(
    ([v.value for v in model.trainable_variables], [v.value for v in optimizer.variables])
    for model, optimizer in zip((generator, discriminator), optimizers, strict=True)
)
rng, losses = np.random.default_rng(0), []
for number in range(4000):
    batch = real[rng.integers(0, len(real), 32)]
    state, loss = step(state, batch, rng.normal(size=(32, 16)).astype("float32"))
    if number % 500 == 499:
        print(f"step {number + 1}: generator {float(loss[0]):.2f}, discriminator {float(loss[1]):.2f}")

# %%
# Threes that nobody wrote:

noise = rng.normal(size=(16, 16)).astype("float32")
made = np.asarray(generator.stateless_call(state[0][0], [], noise)[0]).reshape(-1, 8, 8, 1)
keras.visualization.plot_image_gallery(made, rows=2, cols=8, value_range=(-1, 1), scale=1)
