"""Writes all generated pages: the API, the pictures, the old names and the gallery."""

from hooks import api_pages, gallery, old_names, pictures

if __name__ == "__main__":
    pages = api_pages.build()
    pictures.build()
    old_names.build()
    seconds = gallery.build()
    print(f"API: {pages} pages. Gallery: {len(seconds)} programs, {sum(seconds.values()):.0f} s of processor time.")
