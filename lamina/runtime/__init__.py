"""What belongs to the process: settings, the cache of compiled programs, memory, progress, files written whole."""
