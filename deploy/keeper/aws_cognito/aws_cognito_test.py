"""A first look inside Keeper's plugin kit, without AWS; what proves the plugin is in cognito-scim's own tests."""

import unittest

from aws_cognito import SaasPlugin, read_text
from kdnrm.exceptions import SaasException
from kdnrm.saas_type import SaasUser
from kdnrm.secret import Secret

FIELDS = {"User Pool ID": "eu-west-1_Example", "Cloud Region": "eu-west-1"}


class Record:
    """The configuration record."""

    def __init__(self, fields):
        self._fields = fields

    def get_custom_field_value(self, label, *, single):
        """Return what stands under a label."""
        if not single or label not in self._fields:
            raise ValueError(label)
        return self._fields[label]


def plugin(fields, **passwords):
    """Return the plugin as a Gateway makes it."""
    return SaasPlugin(SaasUser(username=Secret("ann"), **passwords), Record(fields))


class PluginTest(unittest.TestCase):
    """What needs no AWS."""

    def test_missing_required_field_is_an_error(self):
        with self.assertRaises(SaasException):
            plugin({})

    def test_missing_new_password_changes_nothing(self):
        with self.assertRaises(SaasException):
            plugin(FIELDS, new_password=Secret(None)).change_password()

    def test_without_a_prior_password_there_is_no_rollback(self):
        self.assertFalse(plugin(FIELDS).can_rollback)

    def test_passwords_are_read_as_gateways_give_them(self):
        given = [None, Secret(None), Secret("x"), Secret(("x",)), ["x"], Secret(("x", "y"))]
        self.assertEqual([read_text(value) for value in given], [None, None, "x", "x", "x", None])


if __name__ == "__main__":
    unittest.main()
