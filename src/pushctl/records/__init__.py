"""
What pushctl writes down: run folders, the journal of a run, outcome records, the bounce log.

The journal is the truth about a run: a window of rows is written ahead of the first byte that
leaves, outcomes follow.  Outcome records and the bounce log are derived from it.
"""
