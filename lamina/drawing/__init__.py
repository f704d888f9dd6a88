"""Drawings of graphs: where boxes stand, and boxes, arrows and words as SVG or as an image."""
