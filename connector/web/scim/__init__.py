"""`/scim/v2`: reads of Users, Groups and discovery."""
