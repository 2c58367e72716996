"""
Bounce logs turned into answers: what is failing, since when, whose fault is it.

DuckDB reads the logs (:mod:`pushctl.report.logs`); what a report is, is a value
(:mod:`pushctl.report.values`) that the views render.
"""
