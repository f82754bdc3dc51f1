"""HTTP: the application, its authentication, the SCIM endpoint and its health. Everything it serves, it reads.

Nothing here reaches AWS; the published directory comes through the ports in services.py.
"""
