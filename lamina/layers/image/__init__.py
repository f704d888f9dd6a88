"""Preprocessing and augmentation of images, with their labels, boxes and masks.

`base.py` has what all layers share; a layer states which random numbers it draws and how pixels change.
"""
