"""
Are these push credentials good?  Told without any device, offline and by the services.

A check is a list of :class:`~pushctl.check.step.Step` values.  What a key file, a connection or
an answer means is judged by pure functions (:mod:`~pushctl.check.opening`,
:mod:`~pushctl.check.connection`, :mod:`~pushctl.check.answer`, :mod:`~pushctl.check.clock`);
:mod:`~pushctl.check.probe` alone touches the network, and :mod:`~pushctl.check.run` puts them in
order.

A check costs the services one request a credential, to a target that cannot exist.  The provider
token that it carries is the one that every other process presents in the same half hour (see
:mod:`pushctl.credentials.provider_token`): however often CI runs, no key is refused for renewing
its token too often.
"""
