"""Photos and other files: search, decoding, atomic writing, storage."""
