"""
Who gets the push: profiles, token files and ``--token`` become one stream of recipients.

``open_audience`` finds every file sound as a whole before anything can be sent; iterating what it
returns yields each input exactly once, with a verdict where it must not be sent to.
"""

from pushctl.audience.audience import Audience, Consent, open_audience
from pushctl.audience.formats import FilePath
from pushctl.audience.recipient import Recipient, Verdict

__all__ = ["Audience", "Consent", "FilePath", "Recipient", "Verdict", "open_audience"]
