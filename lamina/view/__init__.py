"""`model.view()`: a model as a page to look at."""
