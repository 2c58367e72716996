"""Tests of texts with placeholders."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from pushctl.message.content import MissingAttribute, PayloadTooLarge, UnusableAttribute
from pushctl.message.template import MAX_JOINED_CHARACTERS, BadTemplate, Template

ANNA: dict[str, Any] = {
    "first_name": "Anna",
    "orders": 7,
    "vip": True,
    "price": 3.456,
    "address": {"city": "Graz", "floor": None},
    "items": ["tea", "cups"],
    "nothing": None,
    "blank": "  ",
    "prices": [],
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hi {{ first_name }}!", "Hi Anna!"),
        ("{{ orders }} orders, vip {{ vip }}", "7 orders, vip true"),
        ("{{ price }}", "3.456"),
        ("{{ price | round(2) }} {{ price | round }}", "3.46 3"),
        ("{{ first_name | upper }} {{ first_name | lower }}", "ANNA anna"),
        ("{{ address.city }} {{ address['city'] }}", "Graz Graz"),
        ("{{ items[0] }} and {{ items[-1] }}", "tea and cups"),
        ("{{ items | join(', ') }}", "tea, cups"),
        ("{{ items | length }} {{ items | first }}", "2 tea"),
        ("{{ nickname | default('you') }}", "you"),
        ("{{ nothing | default('you') }}", "you"),
        ("{{ blank | d('you') }}", "you"),
        ("{{ address.floor | default('ground') }}", "ground"),
        ("{{ prices[3].net | default('?') }}", "?"),
        ("{% if vip %}Dear{% else %}Hi{% endif %} {{ first_name }}", "Dear Anna"),
        ("{% if nickname is defined %}{{ nickname }}{% else %}you{% endif %}", "you"),
        ("{{ 'many' if orders > 5 else 'few' }}", "many"),
        ("{{ 'x' if first_name in ['Anna', 'Bob'] else 'y' }}", "x"),
        ("{{ orders + 1 }} {{ orders - 1 }} {{ -orders }}", "8 6 -7"),
        ("{{ first_name ~ '/' ~ orders }}", "Anna/7"),
        ("{{ vip ~ '/' ~ price }} {{ vip | upper }}", "true/3.456 TRUE"),
        ("{{ first_name ~ (orders ~ 'x') | upper }}", "Anna7X"),
        ("{{ 'xyAnnayx' | trim('xy') }}{{ 'xBob' | trim(chars='x') }}", "AnnaBob"),
        ("{{ 'xyAnnayx' | trim('xy') }} {{ 7.a | default('you') }}", "Anna you"),
        ("{{ 'five' | default }} {{ '5' | int }} {{ '1.5' | float }}", "five 5 1.5"),
        ("{{ '{{' }} {# kept #} {{ '{%' }}", "{{ {# kept #} {%"),
        ("{{ first_name }}\n", "Anna\n"),
    ],
)
def test_a_placeholder_is_filled(text: str, filled: str) -> None:
    """Look-ups, filters, tests and conditions give what a reader expects."""
    assert filled == Template(text).text(ANNA)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ orders }}", 7),
        ("{{ vip }}", True),
        ("{{ items }}", ["tea", "cups"]),
        ("{{ address }}", {"city": "Graz", "floor": None}),
        ("{{ orders + 1 }}", 8),
        ("{{ nickname | default(0) }}", 0),
        ("{{ price | round }}", 3),
    ],
)
def test_a_placeholder_alone_keeps_its_type(text: str, value: object) -> None:
    """A text that is one placeholder gives the attribute itself."""
    template = Template(text)

    assert template.is_single
    assert value == template.value(ANNA)


@pytest.mark.parametrize("text", ["{{ orders }} ", "{{ a }}{{ b }}", "{% if a %}x{% endif %}"])
def test_a_text_with_more_than_a_placeholder_stays_a_text(text: str) -> None:
    """Anything beside the placeholder makes it a text."""
    assert not Template(text).is_single


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi {{ nickname }}", "nickname"),
        ("Hi {{ nothing }}", "nothing"),
        ("Hi {{ blank }}", "blank"),
        ("Hi {{ nickname | upper }}", "nickname"),
        ("{{ address.floor }}", "floor"),
        ("{{ address.street | upper }}", "street"),
        ("{{ nickname.short }}", "nickname"),
        ("{% if nickname %}x{% endif %}", "nickname"),
        ("{{ items[7] }}", "7"),
        ("{{ nickname | int }}", "nickname"),
        ("{{ nickname | join }}", "nickname"),
        ("{{ nickname | round }}", "nickname"),
        ("{{ first_name ~ nickname }}", "nickname"),
        ("{{ 7.nickname ~ first_name }}", "nickname"),
        ("{{ 1 if 7.nickname else 2 }}", "nickname"),
        ("{{ ['x', 'y'.nickname] | join }}", "nickname"),
    ],
)
def test_what_is_missing_is_never_a_blank(text: str, name: str) -> None:
    """Missing, null and blank attributes leave the recipient out, by name."""
    with pytest.raises(MissingAttribute) as error:
        Template(text).text(ANNA)

    assert name == error.value.name
    assert not isinstance(error.value, UnusableAttribute)


def test_a_placeholder_alone_is_missing_too() -> None:
    """The typed form knows missing attributes as well."""
    for text in ("{{ nickname }}", "{{ nothing }}", "{{ address.floor }}"):
        with pytest.raises(MissingAttribute):
            Template(text).value(ANNA)


@pytest.mark.parametrize(
    "text",
    [
        "Hi {{ address }}",
        "{{ items }} things",
        "{{ items | upper }}{{ address | upper | int }}",
        "{{ first_name | int }}x",
        "{{ first_name + 1 }}x",
        "{{ prices | first }}x",
        "{{ items | round }}x",
        "{{ [items] | join }}x",
        "{{ items ~ 'x' }}",
        "{{ first_name ~ address }}",
        "{{ items | upper }}",
        "{{ address | lower }}",
        "{{ items | title }}{{ items | capitalize }}",
        "{{ items | trim }}",
        "x{{ first_name > 3 }}",
    ],
)
def test_an_attribute_of_a_wrong_type_is_unusable(text: str) -> None:
    """A list in a text, or a word where a number is needed, leaves the recipient out."""
    with pytest.raises(UnusableAttribute):
        Template(text).text(ANNA)


def test_what_no_attribute_is_to_blame_for_is_not_called_one() -> None:
    """A constant that is no text is told as the placeholder's own."""
    with pytest.raises(UnusableAttribute, match="what the placeholder gives cannot be used"):
        Template("{{ none }}").text(ANNA)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ first_name", "cannot be read"),
        ("{{ first name }}", "cannot be read"),
        ("{{ }}", "cannot be read"),
        ("{% if a %}", "cannot be read"),
        ("{% for a in b %}{{ a }}{% endfor %}", "`for` is not available"),
        ("{{ range(3) }}", "`call` is not available"),
        ("{{ first_name.upper() }}", "`call` is not available"),
        ("{{ 'a' * 9 }}", "`mul` is not available"),
        ("{{ 2 ** 9 }}", "`pow` is not available"),
        ("{{ '%9d' % 1 }}", "`mod` is not available"),
        ("{% set a = 1 %}{{ a }}", "`assign` is not available"),
        ("{% include 'x' %}", "`include` is not available"),
        ("{{ first_name | center(9) }}", "there is no filter `center` here"),
        ("{{ first_name | tojson }}", "there is no filter `tojson` here"),
        ("{{ a is callable }}", "there is no test `callable` here"),
        ("{{ " + "(" * 3000 + "a" + ")" * 3000 + " }}", "too deeply"),
        ("{{ a" + " + a" * 60 + " }}", "too deeply"),
        ("{{ a ~ 1e999 }}", "a number in the placeholder is too large"),
        ("{{ a + " + "9" * 5000 + " }}", "a number in the placeholder is too large"),
        ("{{ a }}" + "x" * 70_000, "at most 65536 characters"),
    ],
)
def test_a_text_beyond_the_language_is_refused(text: str, words: str) -> None:
    """Broken, endless and dangerous templates are refused before any recipient is read."""
    with pytest.raises(BadTemplate) as error:
        Template(text)

    assert words in str(error.value)


def test_a_refusal_says_what_to_write_instead() -> None:
    """Loops and calls are common wishes: the hint shows the way."""
    hints = []
    for text in ("{% for a in b %}{% endfor %}", "{{ a.b() }}", "{{ a", "{{ a b }}"):
        with pytest.raises(BadTemplate) as error:
            Template(text)
        hints.append(error.value.hint)

    assert [
        "loops are not available; a list is shown with {{ names | join(', ') }}",
        "calls are not available; filters are, such as {{ first_name | upper }}",
        "a placeholder is closed as it is opened: {{ name }}, {% if name %}…{% endif %}",
        "a placeholder names an attribute: {{ first_name }}",
    ] == hints


@pytest.mark.parametrize(
    "text",
    [
        "{{ first_name.__class__ }}",
        "{{ first_name['__class__'] }}",
        "{{ address.keys }}",
        "{{ items.append }}",
        "{{ self }}",
        "{{ range }}",
        "{{ lipsum }}",
        "{{ environment }}",
    ],
)
def test_nothing_but_attributes_can_be_reached(text: str) -> None:
    """Python's own attributes, methods and Jinja's globals do not exist."""
    with pytest.raises(MissingAttribute):
        Template("x" + text).text(ANNA)


@pytest.mark.parametrize(
    ("text", "names", "optional"),
    [
        ("{{ a }} {{ b.c }}", {"a", "b"}, set()),
        ("{{ a | default(b) }}", {"b"}, {"a"}),
        ("{{ a.b | d('x') }}", set(), {"a"}),
        ("{% if a is defined %}{{ a }}{% endif %}{{ b }}", {"b"}, {"a"}),
        ("{{ 'x' }}", set(), set()),
    ],
)
def test_the_names_are_known_before_any_recipient(
    text: str, names: set[str], optional: set[str]
) -> None:
    """What a text needs, and what it can do without, is told by the text itself."""
    template = Template(text)

    assert names == set(template.names)
    assert optional == set(template.optional)


def test_a_joined_list_is_bounded() -> None:
    """A long separator between many items cannot fill the memory."""
    template = Template("{{ items | join('" + "x" * 1000 + "') }}!")
    with pytest.raises(PayloadTooLarge):
        template.text({"items": ["a"] * MAX_JOINED_CHARACTERS})


def test_a_template_finds_attributes_named_like_jinjas_own() -> None:
    """A column may be called range, dict or namespace."""
    assert "1 2 3" == Template("{{ range }} {{ dict }} {{ namespace }}").text(
        {"range": 1, "dict": 2, "namespace": 3}
    )
    assert "Anna ANNA" == Template("{{ self }} {{ self | upper }}").text({"self": "Anna"})
    assert (1, "Anna") == Template("{{ (1, self) }}").value({"self": "Anna"})
    with pytest.raises(MissingAttribute, match="`self` is missing"):
        Template("{{ self | upper }}").text({})


def test_a_list_that_the_template_makes_has_no_gap() -> None:
    """What is missing is missing inside a list as well: it would not become JSON."""
    with pytest.raises(MissingAttribute, match="`b` is missing"):
        Template("{{ [a, (1, b)] }}").value({"a": 1})


@pytest.mark.parametrize(("length", "text"), [(0, ""), (2, ".."), (3, "..."), (8, "Annab...")])
def test_a_text_is_cut_to_any_length(length: int, text: str) -> None:
    """Shorter than the three dots as well; a length below nothing is the attribute's fault."""
    assert text == Template("{{ a | truncate(n) }}").text({"a": "Annabelle-Sophie", "n": length})
    with pytest.raises(UnusableAttribute):
        Template("{{ a | truncate(n) }}").text({"a": "Annabelle-Sophie", "n": -1})


@given(
    st.sampled_from(
        [
            *("{{ a }}", "x{{ a }}", "{{ a | upper }}x", "{{ a.b }}", "{{ a + b }}"),
            *("{{ a | round }}", "{{ a | int }}", "{{ a > b }}", "{{ a | truncate(5) }}"),
            *("{{ a | first }}", "{{ a | length }}", "{{ a in b }}", "{{ a[0] }}", "{{ -a }}"),
            *("{{ a | abs }}", "{{ a | trim }}", "{{ a ~ b }}", "{{ a is odd }}"),
            *("{{ a | title }}", "{{ a | join }}", "{{ a | last }}", "{{ a | float }}"),
        ]
    ),
    st.dictionaries(st.sampled_from(["a", "b"]), JSON_VALUES),
)
def test_any_attributes_fill_a_template_or_leave_it(text: str, attributes: dict[str, Any]) -> None:
    """Filling gives a text, or one of the exceptions that leave the recipient out."""
    try:
        filled = Template(text).text(attributes)
    except (MissingAttribute, PayloadTooLarge):
        return

    assert isinstance(filled, str)


@given(st.text(max_size=40))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    """No text makes parsing fail in any other way than BadTemplate."""
    template: Template | None = None
    with contextlib.suppress(BadTemplate):
        template = Template("{{ a }}" + text)

    assert template is None or "a" in template.names
