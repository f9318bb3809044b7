"""Alerts: `router` decides who is notified of which violation and when, `channels` send it."""
