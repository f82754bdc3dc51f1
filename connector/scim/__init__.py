"""SCIM without a framework: rendering, discovery, queries in, list and error envelopes out (RFC 7643, RFC 7644).

A thin layer over scim2-models, which brings the schema model, the filter grammar and an exception for each scimType.
"""
