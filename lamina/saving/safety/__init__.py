"""Safe reading of untrusted files: which parts are read, and limits for each of them."""
