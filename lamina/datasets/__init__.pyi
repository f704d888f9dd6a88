"""The public names of `lamina.datasets`: the one table that editors and `lamina.core.lazy` read."""

from lamina.datasets import (
    auto_mpg as auto_mpg,
)
from lamina.datasets import (
    boston_housing as boston_housing,
)
from lamina.datasets import (
    breast_cancer as breast_cancer,
)
from lamina.datasets import (
    california_housing as california_housing,
)
from lamina.datasets import (
    cifar10 as cifar10,
)
from lamina.datasets import (
    cifar100 as cifar100,
)
from lamina.datasets import (
    digits as digits,
)
from lamina.datasets import (
    fashion_mnist as fashion_mnist,
)
from lamina.datasets import (
    imdb as imdb,
)
from lamina.datasets import (
    iris as iris,
)
from lamina.datasets import (
    japanese_vowels as japanese_vowels,
)
from lamina.datasets import (
    mnist as mnist,
)
from lamina.datasets import (
    reuters as reuters,
)
from lamina.datasets import (
    wine as wine,
)
