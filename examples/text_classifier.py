"""Classify sentences

Sentences of satisfied and dissatisfied hotel guests. `TextVectorization` learns its vocabulary and is part of the
model: the model takes strings, and its file keeps the vocabulary.
"""

import numpy as np

import lamina as keras
from lamina import layers

CONTENT = """
The room was clean and quiet, we slept very well.
Friendly staff and a great breakfast, we will come again!
Lovely view, comfortable bed, excellent service.
Great location, and the staff helped us with everything.
A clean bathroom, fresh towels every day, wonderful.
The breakfast was excellent and the coffee was great.
Quiet at night, a comfortable bed and friendly people.
We loved the pool and the lovely garden.
Excellent value, a spotless room, a warm welcome.
The best stay we had this year, thank you!
Helpful staff, quick check-in, a beautiful room.
Everything was perfect, from the welcome to the breakfast.
Comfortable, clean, and close to the station: perfect.
Our children loved the pool, and we loved the quiet garden.
A beautiful house with a warm and friendly host.
Great food, great wine, great view.
We were welcome from the first minute; a lovely place.
The room was spotless and the service was wonderful.
A perfect weekend, and the best breakfast in town.
Very helpful, very friendly, we will come again.
"""
ANGRY = """
The room was dirty and loud, we could not sleep.
Rude staff and a cold breakfast, never again!
Broken shower, stained carpet, terrible service.
Far from everything, and nobody helped us.
A dirty bathroom, no towels for two days, disgusting.
The breakfast was awful and the coffee was cold.
Loud at night, a broken bed and rude people.
The pool was closed and the garden was full of rubbish.
Terrible value, a smelly room, no welcome at all.
The worst stay we had this year, never again!
Nobody at the desk, a slow check-in, a smelly room.
Everything was wrong, from the booking to the bill.
Cold, dirty, and far from the station: awful.
Our children were ill after the awful food.
A shabby house with a rude and lazy host.
Bad food, bad wine, no view.
We had to wait for two hours; a terrible place.
The room was disgusting and the heating was broken.
A ruined weekend, and the worst breakfast in town.
Very slow, very rude, we want our money back.
"""
UNSEEN = {
    "A lovely room and friendly staff, excellent!": 1,
    "Great breakfast, comfortable bed, perfect location.": 1,
    "We loved the quiet, clean house.": 1,
    "Dirty towels, rude staff, terrible!": 0,
    "The shower was broken and the room was smelly.": 0,
    "An awful night, loud and cold.": 0,
}

sentences = [CONTENT.strip().split("\n"), ANGRY.strip().split("\n")]
x_train = np.array(sentences[0] + sentences[1])
y_train = np.array([1] * len(sentences[0]) + [0] * len(sentences[1]))

# %%
# The vocabulary: the most frequent words of the training sentences.

keras.utils.set_random_seed(0)
vectorize = layers.TextVectorization(max_tokens=300, output_sequence_length=12)
vectorize.adapt(x_train)
print("The most frequent words:", ", ".join(vectorize.get_vocabulary()[2:12]))

# %%
# An `Input` of strings. Layers that read strings run on the host, ahead of the compiled step.

model = keras.Sequential(
    [
        keras.Input((1,), dtype="string"),
        vectorize,
        layers.Embedding(300, 16, mask_zero=True),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.summary()

model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=8, epochs=30, verbose=2)

# %%
# The loaded model takes sentences that it has not seen.

model.save("guests.keras")
model = keras.models.load_model("guests.keras")
scores = model.predict(np.array(list(UNSEEN)), verbose=0).ravel()
for sentence, score in zip(UNSEEN, scores, strict=True):
    print(f"{score:.2f}  {sentence}")
accuracy = np.mean((scores > 0.5) == np.array(list(UNSEEN.values())))
print(f"Accuracy on unseen sentences: {accuracy:.4f}")
