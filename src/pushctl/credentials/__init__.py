"""
Opens keys, certificates and service accounts, and gives each request its authorization.

A credential says only two things about itself: a fingerprint for people, and the
``authorization`` header for the wire.  No secret is in any repr, message or exception.
Importing this package loads nothing heavy; opening a credential does.
"""

from pushctl.credentials.credential import Authorization, Credential, Presented, TokenRefused
from pushctl.credentials.opening import open_credential, open_credentials

__all__ = [
    "Authorization",
    "Credential",
    "Presented",
    "TokenRefused",
    "open_credential",
    "open_credentials",
]
