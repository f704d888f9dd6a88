"""The public names of `lamina.losses`: the one table that editors and `lamina.core.lazy` read."""

from lamina.losses.crossentropy import *
from lamina.losses.divergence import *
from lamina.losses.focal import *
from lamina.losses.hinges import *
from lamina.losses.loss import Loss as Loss
from lamina.losses.loss import LossFunctionWrapper as LossFunctionWrapper
from lamina.losses.overlap import *
from lamina.losses.regression import *
from lamina.losses.sequence import *
from lamina.losses.serialization import *
from lamina.losses.similarity import *
