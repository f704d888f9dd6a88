"""The public names of `lamina.ops`: the one table that editors and `lamina.core.lazy` read."""

from lamina.ops import image as image
from lamina.ops import linalg as linalg
from lamina.ops import nn as nn
from lamina.ops import numpy as numpy
from lamina.ops.arithmetic import *
from lamina.ops.bits import *
from lamina.ops.comparison import *
from lamina.ops.contractions import *
from lamina.ops.control_flow import *
from lamina.ops.core import *
from lamina.ops.creation import *
from lamina.ops.derivatives import *
from lamina.ops.exponentials import *
from lamina.ops.fourier import *
from lamina.ops.indexing import *
from lamina.ops.joining import *
from lamina.ops.linalg import *
from lamina.ops.linalg import slogdet as slogdet
from lamina.ops.math import *
from lamina.ops.nan_reductions import *
from lamina.ops.nn import *
from lamina.ops.reductions import *
from lamina.ops.rounding import *
from lamina.ops.shaping import *
from lamina.ops.sorting import *
from lamina.ops.statistics import *
from lamina.ops.trigonometry import *
