"""Pages to look at: one HTML file each, with charts, without script and without network."""

from pushctl.view.html_report.bounces import bounce_page
from pushctl.view.html_report.receipt import receipt_page

__all__ = ["bounce_page", "receipt_page"]
