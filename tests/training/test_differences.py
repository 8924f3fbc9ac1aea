"""What differs between a checkpoint and what goes on with it."""

from keras_bert.training.differences import differences

FILES = [["a", 1, "x"], ["b", 2, "y"]]


def test_rows_are_compared_by_name_and_their_order_counts():
    assert differences({"corpus": FILES}, {"corpus": [list(row) for row in FILES]}) == []
    assert differences({"corpus": FILES}, {"corpus": FILES[::-1]}) == [
        "corpus: the same in another order"
    ]
    assert differences({"corpus": FILES}, {"corpus": [["b", 3, "y"], ["c", 1, "z"]]}) == [
        "corpus a: [1, 'x'] then, not there now",
        "corpus b: [2, 'y'] then, [3, 'y'] now",
        "corpus c: not there then, [1, 'z'] now",
    ]
