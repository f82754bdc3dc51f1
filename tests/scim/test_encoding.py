import json

from hypothesis import example, given
from hypothesis import strategies as st

from connector.scim.encoding import decode_body, encode, encode_body

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | _TEXT, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner)
)


@given(value=_VALUES)
@example('\x00\x1f\x7f\u0080\u2028\uffff\U0001f469\u200d\U0001f469"\\/')
def test_a_body_is_ascii_and_comes_back(value: object) -> None:
    """RFC 8259: readers that guess the character set still read every sign, also beyond the basic plane."""
    text = encode_body(value)

    assert text.isascii()
    assert json.loads(text) == decode_body(text) == decode_body(encode(value)) == value
