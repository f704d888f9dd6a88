"""`model.view()`: a model as a page to look at."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.view.page import Page
    from lamina.view.viewing import view

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "page": "Page",
        "viewing": "view",
    },
)
