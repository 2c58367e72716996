"""
The sending machine: who goes next, when, on which connection, how often, and when to stop.

:mod:`~pushctl.dispatch.lane` and its neighbours are the pure core: they are told what happened
and the time, and say what to do.  :mod:`~pushctl.dispatch.runner` performs it on real connections.
"""
