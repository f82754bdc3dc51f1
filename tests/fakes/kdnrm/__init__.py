"""A small stand-in for the closed Keeper Gateway: the names a SaaS plugin imports, and what they do.

Written from the published behaviour of Keeper's plugin kit; what the kit gets wrong is in `gateway.py`, on request.
"""
