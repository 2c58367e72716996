"""
``pushctl.yaml`` as typed, frozen settings, or every fault in it at once.

Nothing here opens a key or a certificate: that is :mod:`pushctl.credentials`.  pydantic is loaded
only when a file is.
"""

from pushctl.config.choose import choose_credential
from pushctl.config.discover import find_config
from pushctl.config.load import load_settings
from pushctl.config.settings import (
    ApnsCertificateSettings,
    ApnsKeySettings,
    CredentialSettings,
    FcmSettings,
    Origin,
    Settings,
    Spot,
)

__all__ = [
    "ApnsCertificateSettings",
    "ApnsKeySettings",
    "CredentialSettings",
    "FcmSettings",
    "Origin",
    "Settings",
    "Spot",
    "choose_credential",
    "find_config",
    "load_settings",
]
