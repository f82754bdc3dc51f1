"""The AWS side as a file, for those whose change control wants one: equal in effect with `aws apply`.

No template holds an access key or an ExternalId: the one would be an output in clear, the other is given when it is
used. `aws apply` then finds what a template has made, makes the key, and writes the configuration.
"""
