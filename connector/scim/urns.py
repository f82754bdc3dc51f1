"""The names of the schemas (RFC 7643, section 8.7, and our own extensions)."""

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
COGNITO_USER = "urn:ietf:params:scim:schemas:extension:cognito:2.0:User"
COGNITO_GROUP = "urn:ietf:params:scim:schemas:extension:cognito:2.0:Group"
