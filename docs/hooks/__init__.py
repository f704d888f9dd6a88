"""The part of the build of the site that is our own: API pages, pictures and the gallery, as an extension of Sphinx."""

from hooks import api_pages, gallery, llms, old_names, pictures


def generate(app):
    """Write the generated pages before Sphinx looks for sources."""
    pages = api_pages.build()
    pictures.build()
    old_names.build()
    seconds = gallery.build()
    print(f"API: {pages} pages. Gallery: {len(seconds)} programs, {sum(seconds.values()):.0f} seconds of running.")


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", generate)
    app.connect("build-finished", llms.write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
