"""Images made ready and made various: sizes, random changes of geometry and colour, mixtures, the same for labels,
boxes and masks.

`base.py` has the mechanism; a layer is only what it draws and what becomes of the pixels.
"""
