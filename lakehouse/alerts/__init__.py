"""Alerts: `router` decides who is notified of what and when, `channels` has the ways it is sent."""
