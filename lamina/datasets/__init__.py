"""Data sets as NumPy arrays: `(x_train, y_train), (x_test, y_test) = lamina.datasets.NAME.load_data()`.

In the package: `digits`, `auto_mpg`, `iris`, `wine`, `breast_cancer`, `japanese_vowels`.
Downloaded on first use, with a check of the hash: `mnist`, `fashion_mnist`, `cifar10`, `cifar100`, `imdb`, `reuters`,
`boston_housing`, `california_housing`. Each module is imported on first use.

>>> import lamina as keras
>>> (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
>>> x_train.shape, y_train.shape, len(x_test)
((1438, 8, 8), (1438,), 359)
"""

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

__getattr__, __dir__, __all__ = lazy(__name__, old_names_of(__name__))
