"""The public names of `lamina.view`: the one table that editors and `lamina.core.lazy` read."""

from lamina.view.page import Page as Page
from lamina.view.viewing import *
