"""A model directory keeps the settings of its preprocessor, whichever it is."""

import inspect
import json

import pytest

import keras_bert as kb
from keras_bert.export.saved_model import preprocessor_classes
from keras_bert.text.preprocessors import Preprocessor

# Arguments of each class that are not its defaults.
OTHER = {
    "TextClassifierPreprocessor": {"windows": 3, "stride": 7},
    "MaskedLMPreprocessor": {"mask_selection_length": 3},
    "MultipleChoicePreprocessor": {},
    "RelationPreprocessor": {},
    "Seq2SeqPreprocessor": {"target_length": 11},
    "SpanPreprocessor": {"stride": 7, "question_length": 9, "max_answer_length": 4},
    "TokenClassifierPreprocessor": {},
}
COMMON = {"sequence_length": 40, "pad_to_sequence_length": True}


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.mark.parametrize("found", preprocessor_classes(), ids=lambda found: found.__name__)
def test_every_setting_comes_back(found, tokenizer, tmp_path):
    arguments = {**COMMON, **OTHER[found.__name__]}
    # Whatever the class takes is kept, so that nothing has to be said twice.
    assert set(arguments) == set(inspect.signature(found).parameters) - {"tokenizer"}
    assert set(found.kept) == set(arguments) - {"sequence_length"}
    found(tokenizer, **arguments).save(tmp_path)
    again = found.from_preset(tmp_path)
    assert {name: getattr(again, name) for name in arguments} == arguments
    assert again.tokenizer.vocabulary[: len(tokenizer.vocabulary)] == tokenizer.vocabulary
    # What is asked for goes before what is kept.
    other = found.from_preset(tmp_path, sequence_length=50, pad_to_sequence_length=False)
    assert (other.sequence_length, other.pad_to_sequence_length) == (50, False)
    assert other.settings() == {**again.settings(), "pad_to_sequence_length": False}


def test_lengths_that_follow_from_another_go_on_to_do_so(tokenizer, tmp_path):
    kb.SpanPreprocessor(tokenizer, sequence_length=384, question_length=30).save(tmp_path)
    again = kb.SpanPreprocessor.from_preset(tmp_path, sequence_length=60)
    assert (again.stride, again.question_length, again.max_answer_length) == (20, 30, 30)
    assert "stride" not in again.settings()


def test_another_class_begins_with_its_own_defaults(tokenizer, tmp_path):
    kb.SpanPreprocessor(tokenizer, 40, pad_to_sequence_length=True).save(tmp_path)
    other = kb.TextClassifierPreprocessor.from_preset(tmp_path)
    assert (other.sequence_length, other.pad_to_sequence_length) == (40, False)
    tokenizer.save(tmp_path)
    assert kb.SpanPreprocessor.from_preset(tmp_path).stride == 42  # of 128


def test_a_class_of_ones_own_lists_its_settings_and_no_more(tokenizer, tmp_path):
    class Shouting(kb.TextClassifierPreprocessor):
        kept = (*Preprocessor.kept, "loud")

        def __init__(self, *arguments, loud=1, **others):
            super().__init__(*arguments, **others)
            self.loud = loud

    Shouting(tokenizer, 20, loud=3).save(tmp_path)
    assert Shouting.from_preset(tmp_path).loud == 3
    with pytest.raises(ValueError, match="was saved with a Shouting; expected one of Text"):
        kb.preprocessor_from_preset(tmp_path)


def test_what_a_file_says_wrongly_is_named(tokenizer, tmp_path):
    kb.SpanPreprocessor(tokenizer, 40).save(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text())
    assert config["keras_bert_preprocessor"] == {
        "class": "SpanPreprocessor",
        "pad_to_sequence_length": False,
        "max_answer_length": 30,
    }
    for stored, message in (
        ({"class": "SpanPreprocessor", "windows": 2}, "no setting windows; expected some of pad_"),
        ({"class": "SpanPreprocessor", "stride": 0}, "stride must be a positive int; received 0"),
        (["stride", 3], "sets keras_bert_preprocessor to .*expected an object with `class`"),
    ):
        path.write_text(json.dumps({**config, "keras_bert_preprocessor": stored}))
        with pytest.raises(ValueError, match=message):
            kb.preprocessor_from_preset(tmp_path)
    kb.MaskedLMPreprocessor(tokenizer, 40).save(tmp_path)
    path.write_text(path.read_text().replace('_length": 20', '_length": "20"'))
    with pytest.raises(ValueError, match="length must be a positive int; received '20'"):
        kb.preprocessor_from_preset(tmp_path)


def test_without_settings_the_task_tells_the_class(tokenizer, tmp_path):
    size = {"num_layers": 1, "hidden_dim": 8, "num_heads": 2, "max_sequence_length": 64}
    config = kb.BertConfig(vocabulary_size=tokenizer.vocabulary_size, **size)
    backbone = kb.BertBackbone(config)
    for model, expected in (
        (kb.BertSpanClassifier(backbone), kb.SpanPreprocessor),
        (kb.BertPretrainer(backbone), kb.MaskedLMPreprocessor),
        (kb.BertNextSentence(backbone), kb.TextClassifierPreprocessor),
    ):
        kb.save_preset(tmp_path / "model", model, tokenizer, overwrite=True)
        found = kb.preprocessor_from_preset(tmp_path / "model")
        assert type(found) is expected and found.sequence_length == 64
    kb.save_preset(tmp_path / "model", backbone, tokenizer, overwrite=True)
    with pytest.raises(ValueError, match="read as a BertBackbone, which no preprocessor belongs"):
        kb.preprocessor_from_preset(tmp_path / "model")
    preprocess = kb.TokenClassifierPreprocessor(tokenizer, 30)
    kb.save_preset(tmp_path / "model", backbone, preprocess, overwrite=True)
    assert type(kb.preprocessor_from_preset(tmp_path / "model", 12)) is type(preprocess)
