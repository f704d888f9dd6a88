"""The public names of `lamina.callbacks`: the one table that editors and `lamina.core.lazy` read."""

from lamina.callbacks.backup_and_restore import *
from lamina.callbacks.callback import Callback as Callback
from lamina.callbacks.callback_list import *
from lamina.callbacks.csv_logger import *
from lamina.callbacks.early_stopping import *
from lamina.callbacks.history import *
from lamina.callbacks.lambda_callback import *
from lamina.callbacks.learning_rate import *
from lamina.callbacks.model_checkpoint import *
from lamina.callbacks.orbax_checkpoint import *
from lamina.callbacks.progbar_logger import *
from lamina.callbacks.remote_monitor import *
from lamina.callbacks.stop_on_nonfinite import *
from lamina.callbacks.swap_ema_weights import *
from lamina.callbacks.tensorboard import *
from lamina.callbacks.terminate_on_nan import *
from lamina.callbacks.trackers import *
