"""A model's words for its items: the names made from two words, and the words that are refused."""

import pytest

from model.vocabulary import Vocabulary, plural, singular


def test_all_field_names_come_from_the_two_words() -> None:
    words = Vocabulary("product", "categories")
    assert (words.item_id, words.item_ids, words.items) == ("product_id", "product_ids", "products")
    assert (words.item_known, words.num_items, words.tag) == ("product_known", "num_products", "category")


def test_a_version_without_words_says_movie_and_genres() -> None:
    assert Vocabulary.of({}) == Vocabulary("movie", "genres")
    assert Vocabulary.of({"vocabulary": {"item": "book", "tags": "shelves"}}) == Vocabulary("book", "shelves")


@pytest.mark.parametrize(
    ("one", "several"),
    [("genre", "genres"), ("category", "categories"), ("toy", "toys"), ("dish", "dishes"), ("box", "boxes")],
)
def test_plural_and_singular_are_inverse(one: str, several: str) -> None:
    assert (plural(one), singular(several)) == (several, one)


def test_word_without_a_plural_form_does_not_change() -> None:
    assert plural("series") == "series"
    assert singular("music") == "music"


@pytest.mark.parametrize("word", ["", "Product", "my product", "produit_", "9lives", "a-b", "ü", "x" * 41, '"', 7])
def test_a_word_that_cannot_name_a_field_is_refused(word: object) -> None:
    with pytest.raises(ValueError, match=r"--item: got .*, allowed: 1 to 40 lower-case letters .*such as product"):
        Vocabulary(item=word)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"--tags: got .* such as categories"):
        Vocabulary(tags=word)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("item", "tags", "told"),
    [
        ("user", "genres", r"--item: got 'user', and the field user.* already has another meaning"),
        ("rating", "genres", r"--item: got 'rating', and the field rating"),
        ("prediction", "genres", r"--item: got 'prediction', and the field predictions already has"),
        (
            "movie",
            "title",
            r"--tags: got 'title', and the field title already has another meaning: choose another word",
        ),
        ("category", "categories", r"--tags: got 'categories', and the field categories already has"),
        ("movie", "item_id", r"--tags: got 'item_id', and the field item_id already has"),
    ],
)
def test_word_with_another_meaning_is_refused(item: str, tags: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Vocabulary(item, tags).refuse_fields()


def test_a_version_keeps_its_words_when_the_api_gets_a_field_of_that_name() -> None:
    held = {"item": "answer", "tags": "limits"}
    assert Vocabulary.of({"vocabulary": held}).to_dict() == held


@pytest.mark.parametrize("held", ["movie", {"item": "movie", "size": 1}, {"item": 3}, None])
def test_metadata_with_other_than_two_words_is_refused(held: object) -> None:
    with pytest.raises(ValueError, match=r"vocabulary|--item"):
        Vocabulary.of({"vocabulary": held})


def test_item_is_allowed_as_a_word() -> None:
    assert Vocabulary("item", "tags").item_id == "item_id"
