"""The part of the build of the site that is our own: API pages, pictures, as an extension of Sphinx."""

from hooks import api_pages, pictures


def generate(app):
    """Write the generated pages before Sphinx looks for sources."""
    pages = api_pages.build()
    pictures.build()
    print(f"API: {pages} pages")


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
