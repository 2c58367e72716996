"""
One send, from settings, audience and message to a finished run.

This room puts the others together: it surveys the audience, opens the credentials that the
audience needs, runs the dispatcher, and has everything recorded.
"""
