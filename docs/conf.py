"""Settings of the site: `sphinx-build -W --keep-going -b html docs build/site`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

project = "lamina"
author = "The lamina authors"
extensions = ["myst_parser", "hooks"]
exclude_patterns = ["hooks"]
myst_enable_extensions = ["deflist", "fieldlist", "attrs_inline", "attrs_block"]
myst_heading_anchors = 3
maximum_signature_line_length = 60
python_use_unqualified_type_names = True
add_module_names = False
html_theme = "pydata_sphinx_theme"
html_title = "lamina"
html_static_path = ["static"]
html_css_files = ["lamina.css"]
html_extra_path = ["extra"]
pathlib.Path(__file__).with_name("extra").mkdir(exist_ok=True)  # Sphinx looks for it before the hooks fill it
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "collapse_navigation": True,
    "navigation_depth": 3,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
