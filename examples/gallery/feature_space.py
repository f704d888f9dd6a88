"""A table with numbers, categories and names

A CSV file has columns of different kinds. `FeatureSpace` has a rule for each of them, computes means and vocabularies
from the table, and returns one array, or the symbolic inputs and outputs of a model that reads the raw columns.
"""

import io

import numpy as np
import pandas as pd

import lamina as keras
from lamina.utils import FeatureSpace

file = io.StringIO("""age,job,visits,bought
24,cook,3,0
31,pilot,9,1
45,cook,2,0
52,nurse,8,1
38,pilot,7,1
29,nurse,1,0
""")
table = pd.read_csv(file)
bought = table.pop("bought")
table

# %%
# Numbers are scaled, jobs become one-hot vectors, visits fall into three bins, and a cross learns of pairs of job and
# visits.

space = FeatureSpace(
    {
        "age": "float_normalized",
        "job": "string_categorical",
        "visits": FeatureSpace.float_discretized(num_bins=3),
    },
    crosses=[FeatureSpace.cross(("job", "visits"), crossing_dim=8)],
)
space.adapt(table)
print(space.get_encoded_features().shape, space.preprocessors["job"].get_vocabulary())

# %%
# The model takes the raw columns, and its file keeps the vocabularies.

keras.utils.set_random_seed(0)
model = keras.Model(space.get_inputs(), keras.layers.Dense(1, "sigmoid")(space.get_encoded_features()))
model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
model.fit(dict(table), bought, epochs=60, verbose=0)
model.save("shop.keras")

model = keras.models.load_model("shop.keras")
customer = {"age": np.array([33]), "job": np.array(["pilot"]), "visits": np.array([9])}
print("buys" if model.predict(customer, verbose=0)[0, 0] > 0.5 else "leaves")
