"""TLS as every connection of ours uses it."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from pushctl.config import CredentialSettings


def client_context(
    settings: CredentialSettings, *, only_ca_file: bool = True, alpn: tuple[str, ...] = ("h2",)
) -> ssl.SSLContext:
    """
    Return a context that verifies: TLS 1.2 or later (Apple, "Establishing a token-based
    connection to APNs").

    With a ``ca_file`` its authorities are the only ones trusted, or with ``only_ca_file=False``
    trusted besides the system's.

    :raises InvalidInput: if ``ca_file`` cannot be read or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is None or not only_ca_file:
        _trust_system(context)
    if settings.ca_file is not None:
        _trust_file(context, settings, settings.ca_file)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def _trust_system(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if not any(path and os.path.exists(path) for path in (paths.cafile, paths.capath)):
        # python.org's macOS builds come without authorities; httpx brings certifi's.
        import certifi

        context.load_verify_locations(certifi.where())


def _trust_file(context: ssl.SSLContext, settings: CredentialSettings, ca_file: Path) -> None:
    hint = "it must hold the authority's certificate in PEM"
    try:
        context.load_verify_locations(ca_file)
    except FileNotFoundError:
        raise settings.invalid("ca_file", f"there is no file {str(ca_file)!r}") from None
    except ssl.SSLError:
        raise settings.invalid(
            "ca_file", f"{str(ca_file)!r} holds no certificate", hint=hint
        ) from None
    except OSError as error:
        raise settings.invalid(
            "ca_file", f"cannot read {str(ca_file)!r}: {error.strerror}", hint=hint
        ) from None
