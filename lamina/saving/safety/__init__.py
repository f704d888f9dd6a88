"""Reading of files from unknown sources: which parts are read, and limits for each of them."""
