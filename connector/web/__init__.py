"""HTTP: the application, its authentication, the SCIM endpoint, the API for runs, health and metrics.

Nothing here reaches AWS: what is served is read from the store, and what is to be done is put into its queue, both
through the ports in services.py.
"""
