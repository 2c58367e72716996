"""
HTTP/2 for small POSTs: every delivery, to APNs and to FCM, leaves through this room.

:mod:`~pushctl.wire.connection` is the protocol without any I/O: bytes in, events out; requests
in, bytes out.  :mod:`~pushctl.wire.link` is its thin asyncio shell, :mod:`~pushctl.wire.dial`
finds and connects the socket.  The one promise all of it serves: each request comes back in
exactly one of :class:`~pushctl.wire.events.Answer`, :class:`~pushctl.wire.events.Unprocessed`
and :class:`~pushctl.wire.events.Unanswered`, and nothing is ever sent twice.
"""
