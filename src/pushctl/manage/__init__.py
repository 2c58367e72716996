"""
What is managed beside sending, over httpx: broadcast channels and topic subscriptions.

These requests are few, so a general HTTP client carries them; pushes never go through here.
"""
