"""
Strict YAML and JSON whose values remember where they stand.

``read`` and ``load`` return a :class:`Document`: plain Python values, and for each of them the
line and column, so that every later error can point at the file.  What a lenient parser lets
pass is refused: duplicate keys, tags, keys that are no text, ``.inf`` and ``NaN``, YAML bombs,
bottomless nesting, lone surrogates.
"""

from pushctl.documents.document import Document
from pushctl.documents.files import load, missing_file_hint, read, read_bytes

__all__ = ["Document", "load", "missing_file_hint", "read", "read_bytes"]
