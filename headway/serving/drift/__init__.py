"""Drift in production: windows of served rows against the package's reference, and alarms."""
