"""One story a file, one public function each: gather, decide, write, promise."""
