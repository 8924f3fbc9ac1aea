"""The tokenizer in a KerasHub preset: its `tokenizer.json` is a configuration of Keras.

Ids are those of Google's tokenizer with the preset's options. KerasHub's own differ from them:

- it folds case where Google lower-cases: `ß` becomes `ss`, a final sigma the ordinary one;
- it strips accents only where `strip_accents` says so, which is not the default with `lowercase`;
  here it is heeded;
- it takes control and format characters (a soft hyphen, a zero-width space) for spaces, where
  Google drops them, and of spaces only ASCII's, where Google takes Unicode's (U+00A0, U+3000);
- a word of more than 100 bytes is one [UNK], where Google allows 200 characters.

Plain English and Chinese text gives equal ids.
"""

import os

from keras_bert.added_token_files import read_if_there

TOKENIZER_FILE = "tokenizer.json"

# What these options must be, with KerasHub's defaults.
_FIXED = {
    "split": True,
    "suffix_indicator": "##",
    "oov_token": "[UNK]",
    "special_tokens_in_strings": False,
}


def read_options(folder):
    """Reads the options.

    Args:
        folder: str, a preset of KerasHub.

    Returns:
        Dict: `lowercase`, `strip_accents` and `split_chinese`, bool; `model_max_length`, int: the
        `sequence_length` of the preset's preprocessor, or None where it has none.

    Raises:
        ValueError: it is another tokenizer, or one with an option that is not supported.
    """
    path = os.path.join(folder, TOKENIZER_FILE)
    values = read_if_there(folder, TOKENIZER_FILE)
    config = values.get("config")
    if values.get("class_name") != "BertTokenizer" or not isinstance(config, dict):
        raise ValueError(
            f"from_preset: {path!r} holds the class {values.get('class_name')!r}; expected "
            "KerasHub's BertTokenizer with its config"
        )
    for key, wanted in _FIXED.items():
        if config.get(key, wanted) != wanted:
            raise ValueError(
                f"from_preset: {path!r} sets {key} to {config[key]!r}; only {wanted!r} is supported"
            )
    found = {"lowercase": "lowercase", "strip_accents": "strip_accents"}
    found["split_chinese"] = "split_on_cjk"
    for name, key in found.items():
        found[name] = config.get(key, name == "split_chinese")
        if not isinstance(found[name], bool):
            raise ValueError(f"from_preset: {path!r} sets {key} to {found[name]!r}; expected bool")
    preprocessor = read_if_there(folder, "preprocessor.json").get("config")
    length = preprocessor.get("sequence_length") if isinstance(preprocessor, dict) else None
    return {**found, "model_max_length": length if isinstance(length, int) else None}
