from handan import costs, norms
from handan.cards import cards


def test_every_table_of_the_package_has_a_card():
    titles = [title for title, _ in cards()]
    assert len(titles) == len(set(titles)) == len(costs.studies()) + 1 + len(norms.tasks())


def test_a_card_shows_source_licence_and_caveats_in_full():
    bodies = dict(cards())
    for card in [*map(costs.card, costs.studies()), *map(norms.card, norms.tasks())]:
        body = bodies[card["title"]]
        assert card["licence"] in body
        assert card["cite"] in body
        for caveat in card["caveats"]:
            assert caveat in body
        assert "['" not in body
        assert "nan" not in body.split()
