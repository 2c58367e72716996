"""
What the commands are, as data, and all that is written from it.

The help, the man pages, the completions of four shells and the reference in ``docs/`` say the same
because they are made from one :class:`~pushctl.manual.model.Command`, which is read from the
command line itself.
"""
