"""Drawings of graphs: positions of boxes, and boxes, arrows and words as SVG or as an image."""
