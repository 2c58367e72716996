"""pushctl: sends pushes to APNs and FCM, and explains every answer."""

__version__ = "0.1.0"
